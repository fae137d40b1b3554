"""Fast twin of ``hwsim.numerics.requantizers.thresholds``: a binary search in each column's table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.requantizers._work import Codes, Columns, Terms
from hwsim.numerics.requantizers.thresholds import thresholds_of

MOST_LEVELS = 1 << 16
INT64 = np.iinfo(np.int64)


@kernel
def _count(acc: Any, thresholds: Any, reachable: Any, counts: Any) -> None:
    """Write ``#{i: thresholds[j, i] <= acc[., j]}`` into ``counts [rows, n]``; thresholds ascend."""
    rows, n = acc.shape
    for i in range(rows):
        for j in range(n):
            first, last = 0, reachable[j]
            while first < last:
                middle = (first + last) >> 1
                if thresholds[j, middle] <= acc[i, j]:
                    first = middle + 1
                else:
                    last = middle
            counts[i, j] = first


@lru_cache(maxsize=64)
def _tables(scales: tuple[float, ...], zero_point: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the thresholds of the codes from ``low`` to ``high + 1``, int64 ``[n, levels]``, and how many 64 bits reach."""
    tables = [thresholds_of(scale, zero_point, low - 1, high + 1) for scale in scales]
    reachable = np.array([sum(threshold <= INT64.max for threshold in table) for table in tables])
    clipped = [[min(max(threshold, INT64.min), INT64.max) for threshold in table] for table in tables]
    return np.array(clipped, np.int64), reachable


def requantize(work: Columns) -> Codes | None:
    """Return codes ``[rows, n]`` and the two clip counts; None for more than 2^16 codes."""
    if work.high - work.low >= MOST_LEVELS:
        return None
    tables, reachable = _tables(tuple(work.multiplier.tolist()), work.zero_point, work.low, work.high)
    counts = np.empty(work.acc.shape, np.int64)
    _count(work.acc, tables, reachable, counts)
    free = counts + (work.low - 1)
    return np.clip(free, work.low, work.high), int((free < work.low).sum()), int((free > work.high).sum())


def rescale_sum(terms: Terms) -> Codes:
    """Return codes of the tensors' shape and the two clip counts, on integers of any size."""
    pairs = [float(ratio).as_integer_ratio() for ratio in terms.constants.multiplier]
    denominator = max(bottom for _, bottom in pairs)
    total: Any = np.full(terms.tensors[0].shape, 2 * terms.zero_point * denominator + denominator, dtype=object)
    for tensor, (top, bottom) in zip(terms.tensors, pairs, strict=True):
        total = total + tensor.astype(object) * (2 * top * (denominator // bottom))
    free = total // (2 * denominator)
    below, above = int((free < terms.low).sum()), int((free > terms.high).sum())
    return np.clip(free, terms.low, terms.high).astype(np.int64), below, above
