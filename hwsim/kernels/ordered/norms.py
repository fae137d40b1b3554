"""Norms that bound what a chunk of k adds up to: one number per row and one per column.

By Cauchy and Schwarz ``sum |a_k| |w_k| <= ||a|| ||w||`` over any chunk, so the product of two norms, each rounded up to an
integer, bounds the sum of the magnitudes of the chunk's products. For normally distributed operands it is ``pi / 2`` times
that sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel


@kernel
def _ceil_root(square: Any) -> Any:
    """Return the smallest integer whose square is not below ``square``, an int64 of 0 .. 2^62."""
    root = np.int64(np.sqrt(np.float64(square)))
    while root * root < square:
        root += 1
    while root > 0 and (root - 1) * (root - 1) >= square:
        root -= 1
    return root


@kernel
def row_norms(a: Any, cuts: Any) -> Any:
    """Return ``||a[i, cuts[c] : cuts[c + 1]]||`` rounded up, int64 ``[rows, chunks]``, of int16 ``a [rows, k]``."""
    norms = np.empty((len(a), len(cuts) - 1), np.int64)
    for i in range(len(a)):
        for c in range(len(cuts) - 1):
            part = a[i, cuts[c] : cuts[c + 1]]
            square = np.int64(0)
            for k in range(len(part)):
                square += np.int64(np.int32(part[k]) * np.int32(part[k]))
            norms[i, c] = _ceil_root(square)
    return norms


@kernel
def column_norms(w: Any, cuts: Any) -> Any:
    """Return ``||w[cuts[c] : cuts[c + 1], j]||`` rounded up, int64 ``[chunks, n]``, of int16 ``w [k, n]``."""
    norms = np.zeros((len(cuts) - 1, w.shape[1]), np.int64)
    for c in range(len(cuts) - 1):
        squares = norms[c]
        for k in range(cuts[c], cuts[c + 1]):
            row = w[k]
            for j in range(len(row)):
                squares[j] += np.int64(np.int32(row[j]) * np.int32(row[j]))
        for j in range(len(squares)):
            squares[j] = _ceil_root(squares[j])
    return norms
