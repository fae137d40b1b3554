"""A tensor as rows of numbers that share a scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from hwsim.numerics.granularity import Granularity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Those parts of a tensor that have the same number of elements.

    Args:
        values: float32 ``[rows, elements]``, each row ascending: the order says nothing, and sorted numbers are found faster
            in a table.
        scale: int64 ``[rows]``, which scale of the tensor each row has.
    """

    values: np.ndarray
    scale: np.ndarray


def rows_of(values: np.ndarray, granularity: Granularity) -> tuple[Rows, ...]:
    """Return the rows of a tensor of any shape, those of one length together (a last group may be shorter).

    >>> [part.values.tolist() for part in rows_of(np.arange(5), Granularity.of_runs(0, 5, 2))]
    [[[4.0]], [[0.0, 1.0], [2.0, 3.0]]]
    """
    values = np.asarray(values, dtype=np.float32)
    count = scale_count(granularity, values.shape)
    index = np.broadcast_to(granularity.spread(np.arange(count), values.shape), values.shape).reshape(-1)
    flat = values.reshape(-1)[np.argsort(index, kind="stable")]
    sizes = np.bincount(index, minlength=count)
    ends = np.cumsum(sizes)
    found = []
    for size in np.unique(sizes[sizes > 0]).tolist():
        scale = np.flatnonzero(sizes == size)
        starts = ends[scale] - size
        found.append(Rows(values=np.sort(flat[starts[:, None] + np.arange(size)], axis=1), scale=scale))
    return tuple(found)


def scale_count(granularity: Granularity, shape: tuple[int, ...]) -> int:
    """Return how many scales a tensor of ``shape`` has."""
    return prod(granularity.scale_shape(shape))


def gathered(parts: Sequence[Rows], values: Sequence[np.ndarray]) -> np.ndarray:
    """Return one number per scale, in the scales' order, from the numbers of the rows of each part."""
    merged = np.empty(sum(part.scale.size for part in parts))
    for part, each in zip(parts, values, strict=True):
        merged[part.scale] = each
    return merged


def sampled(parts: Sequence[Rows], elements: int) -> tuple[Rows, ...]:
    """Return every n-th row of each part, so that about ``elements`` remain, as a tensor of their own."""
    step = max(1, sum(part.values.size for part in parts) // elements)
    found, count = [], 0
    for part in parts:
        values = part.values[::step]
        found.append(Rows(values=values, scale=np.arange(count, count + len(values))))
        count += len(values)
    return tuple(found)


def alive(parts: Sequence[Rows]) -> tuple[Rows, ...]:
    """Return the rows that are not all 0, as a tensor of their own."""
    found, count = [], 0
    for part in parts:
        values = part.values[part.values.any(axis=1)]
        if len(values):
            found.append(Rows(values=values, scale=np.arange(count, count + len(values))))
            count += len(values)
    return tuple(found)
