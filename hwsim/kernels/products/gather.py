"""Compiled look-ups of products: their sums, and the products themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel

TILE = 256  # columns whose sums stay in the first cache


@kernel
def gather_sums(a: Any, w: Any, table: Any, is_empty: Any, sums: Any) -> None:
    """Add ``table[a[i, p], w[p, j]]`` over p into ``sums``.

    Args:
        a: rows of the table, integer ``[m, k]``.
        w: columns of the table, integer ``[k, n]``.
        table: products ``[rows, columns]``.
        is_empty: bool ``[rows]``: rows of zeros, which are left out.
        sums: int64 ``[m, n]``, zeros before.
    """
    m, k = a.shape
    n = w.shape[1]
    picks = np.empty(k, np.int64)
    for i in range(m):
        count = 0
        for p in range(k):
            picks[count] = p
            count += not is_empty[a[i, p]]
        done = count - count % 4
        for begin in range(0, n, TILE):
            end = min(begin + TILE, n)
            out = sums[i, begin:end]
            for t in range(0, done, 4):
                p0, p1, p2, p3 = picks[t], picks[t + 1], picks[t + 2], picks[t + 3]
                r0, r1, r2, r3 = table[a[i, p0]], table[a[i, p1]], table[a[i, p2]], table[a[i, p3]]
                w0, w1, w2, w3 = w[p0, begin:end], w[p1, begin:end], w[p2, begin:end], w[p3, begin:end]
                for j in range(end - begin):
                    out[j] += r0[w0[j]] + r1[w1[j]] + r2[w2[j]] + r3[w3[j]]
            for t in range(done, count):
                r0, w0 = table[a[i, picks[t]]], w[picks[t], begin:end]
                for j in range(end - begin):
                    out[j] += r0[w0[j]]


@kernel
def gather_products(a: Any, w: Any, table: Any, products: Any) -> None:
    """Write ``table[a[i, p], w[p, j]]`` into ``products [m, k, n]``; operands as in ``gather_sums``."""
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            row = table[a[i, p]]
            for j in range(w.shape[1]):
                products[i, p, j] = row[w[p, j]]
