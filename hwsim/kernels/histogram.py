"""Counting real numbers in equal bins around 0; ``bin_of`` is the definition."""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.layout import flat, memory_order


def bin_of(value: float, limit: float, bins: int) -> int:
    """Return the bin of ``value`` in ``[-limit, limit)``: ``floor(value * bins / (2 limit)) + bins / 2``.

    With ``limit`` and ``bins`` powers of two the product is exact, so that two neighbouring bins are one bin at the double
    limit.

    >>> [bin_of(value, 2.0, 8) for value in (-2.0, -0.1, 0.0, 0.5, 1.9)]
    [0, 3, 4, 5, 7]
    """
    return floor(value * (bins / (2 * limit))) + bins // 2


@kernel
def _count(values: Any, factor: Any, counts: Any) -> None:
    middle = len(counts) // 2
    for i in range(len(values)):
        counts[int(np.floor(values[i] * factor)) + middle] += 1


@kernel
def _count_weighted(values: Any, factor: Any, weights: Any, counts: Any) -> None:
    middle = len(counts) // 2
    outer, channels, inner = values.shape
    for image in range(outer):
        for channel in range(channels):
            weight = weights[channel]
            for i in range(inner):
                counts[int(np.floor(values[image, channel, i] * factor)) + middle] += weight


def count(counts: np.ndarray, values: np.ndarray, limit: float) -> None:
    """Add the number of ``values`` in each bin to ``counts``.

    Args:
        counts: int64 ``[bins]``, changed in place; the number of bins is a power of two.
        values: float32 of any shape, ``-limit <= value < limit``, which is not checked.
        limit: a power of two.
    """
    elements = flat(np.asarray(values, np.float32), memory_order(values))
    elements.flags.writeable = False  # arrays that can be written are a type of their own to numba
    _count(elements, len(counts) / (2 * limit), counts)


def count_weighted(counts: np.ndarray, values: np.ndarray, weights: np.ndarray, limit: float) -> None:
    """Add to each bin the weight of the channels whose values lie there.

    Args:
        counts: float64 ``[bins]``, changed in place.
        values: float32 ``[outer, channels, inner]``, as for ``count``.
        weights: float64 ``[channels]``.
        limit: a power of two.
    """
    elements = np.ascontiguousarray(values, np.float32).view()
    elements.flags.writeable = False
    _count_weighted(elements, len(counts) / (2 * limit), weights, counts)
