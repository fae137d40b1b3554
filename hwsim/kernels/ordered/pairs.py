"""Operands in 32-bit words of two int16 neighbours along k, cut into chunks that each begin a word of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel


@kernel
def pack_rows(a: Any, cuts: Any, places: Any, rows: Any) -> Any:
    """Return activations as int16 ``[rows, 2 * words]``, zeros in what is added.

    Args:
        a: int16 ``[m, k]``.
        cuts: int64 ``[chunks + 1]``, where chunks begin and end along k.
        places: int64 ``[chunks + 1]``, where their words do.
        rows: how many rows to make, at least m.
    """
    packed = np.zeros((rows, 2 * places[-1]), np.int16)
    for i in range(len(a)):
        for c in range(len(cuts) - 1):
            part = a[i, cuts[c] : cuts[c + 1]]
            target = packed[i, 2 * places[c] : 2 * places[c] + len(part)]
            for k in range(len(part)):
                target[k] = part[k]
    return packed


@kernel
def pack_columns(w: Any, cuts: Any, places: Any, columns: Any) -> Any:
    """Return weights as int32 ``[tiles, words, columns]``, zeros in what is added.

    Args:
        w: int16 ``[k, n]``.
        cuts: int64 ``[chunks + 1]``, where chunks begin and end along k.
        places: int64 ``[chunks + 1]``, where their words do.
        columns: of a tile.
    """
    n = w.shape[1]
    packed = np.empty((-(-n // columns), places[-1], columns), np.int32)
    for tile in range(len(packed)):
        left, right = tile * columns, min((tile + 1) * columns, n)
        if right - left < columns:
            packed[tile] = 0
        for c in range(len(cuts) - 1):
            for k in range(cuts[c], cuts[c + 1], 2):
                target = packed[tile, places[c] + (k - cuts[c]) // 2]
                low, high = w[k, left:right], w[min(k + 1, len(w) - 1), left:right]
                mask = np.int32(0xFFFF if k + 1 < cuts[c + 1] else 0)
                for j in range(len(low)):
                    target[j] = (np.int32(low[j]) & 0xFFFF) | ((np.int32(high[j]) & mask) << 16)
    return packed
