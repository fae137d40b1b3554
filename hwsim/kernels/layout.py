"""Order in memory: channels lie innermost behind a convolution, whatever the shape says; element-wise work keeps that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel

CHANNELS_LAST, CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


def memory_order(x: np.ndarray) -> tuple[int, ...]:
    """Return the axes of ``x`` from the outermost to the innermost in memory.

    >>> memory_order(np.zeros((1, 4, 5, 3)).transpose(0, 3, 1, 2))
    (0, 2, 3, 1)
    """
    return tuple(range(x.ndim)) if x.flags.c_contiguous else _order(x.strides)


@lru_cache
def _order(strides: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(strides)), key=lambda axis: -abs(strides[axis])))


def flat(x: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Return the elements of ``x`` one by one, its axes taken in ``order``: a view where they lie so."""
    return np.ascontiguousarray(x.transpose(order)).reshape(-1)


def shown(elements: np.ndarray, shape: Sequence[int], order: tuple[int, ...]) -> np.ndarray:
    """Return ``flat`` elements in their ``shape`` again.

    >>> x = np.arange(6).reshape(2, 3).T
    >>> (shown(flat(x, memory_order(x)), x.shape, memory_order(x)) == x).all()
    np.True_
    """
    return elements.reshape([shape[axis] for axis in order]).transpose(_places(order))


def flat_views(*arrays: np.ndarray) -> list[np.ndarray] | None:
    """Return the elements of arrays of one shape one by one, as views in one order; None where they do not lie alike in memory.

    >>> x = np.arange(6).reshape(2, 3)
    >>> flat_views(x, x.T.copy().T) is None, [view.tolist() for view in flat_views(x.T, x.T + 1)]
    (True, [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]])
    """
    order = memory_order(arrays[0])
    views = [array.transpose(order) for array in arrays]
    if any(view.shape != views[0].shape or not view.flags.c_contiguous for view in views):
        return None
    return [view.reshape(-1) for view in views]


def transposed(x: np.ndarray, permutation: tuple[int, ...]) -> np.ndarray:
    """Return a copy of ``x.transpose(permutation)`` of which the axes lie in the order in which those of ``x`` do.

    So a shuffle of channels, which lie innermost on either side of it, stays a shuffle of neighbours.

    Args:
        x: any array.
        permutation: as in ``numpy.transpose``.
    """
    order = memory_order(x)
    view = x.transpose(permutation).transpose(order)
    outer = x.ndim - 2
    sources = [order.index(permutation[axis]) for axis in order]
    if x.itemsize == 1 and sources == [*range(outer), outer + 1, outer] and x.size:
        result = np.empty(view.shape, x.dtype)
        read = flat(x, order).view(np.uint8)
        read.flags.writeable = False  # arrays that can be written are a type of their own to numba
        _swap(read, view.shape[-1], view.shape[-2], result.reshape(-1).view(np.uint8))
    else:
        result = np.array(view, order="C")
    return result.transpose(_places(order))


@kernel
def _swap(read: Any, rows: Any, columns: Any, written: Any) -> None:
    """Write every matrix ``[rows, columns]`` of bytes transposed."""
    size = rows * columns
    places = np.empty(size, np.int32)
    for place in range(size):
        places[place] = place % rows * columns + place // rows
    for first in range(0, len(read), size):
        here, to = read[first : first + size], written[first : first + size]
        for place in range(size):
            to[place] = here[places[place]]


@cache
def _places(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(order)), key=order.__getitem__))
