"""Ordered accumulation of integer matrix products: the fast twin of ``hwsim.numerics.accumulator.accumulate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.operands import check_segments, magnitude
from hwsim.kernels.ordered import EXACT, SATURATE, TILE, WRAP, ordered
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.accumulator import accumulate as accumulate_one

INT32_LIMIT = (1 << 31) - 1
INT64_SAFE = 1 << 62
INT64_MAX = (1 << 63) - 1
NARROW = 16
MODES = {Overflow.EXACT: EXACT, Overflow.WRAP: WRAP, Overflow.SATURATE: SATURATE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordered:
    """What ordered accumulation leaves behind, per output; int64 ``[..., m, n]`` (Python ints for peaks beyond it).

    Args:
        values: the accumulators at the end.
        events: additions whose result did not fit their register.
        peaks: largest magnitude seen before any reduction.
    """

    values: np.ndarray
    events: np.ndarray
    peaks: np.ndarray


def accumulate(
    a: np.ndarray,
    w: np.ndarray,
    segments: Sequence[int] | np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray | int = 0,
    todo: np.ndarray | None = None,
) -> Ordered:
    """Accumulate ``a @ w`` in order of k, fold by fold, product by product.

    Args:
        a: integers ``[m, k]`` or ``[groups, m, k]``, k in the array's order.
        w: integers ``[k, n]`` or ``[groups, k, n]``.
        segments: lengths of the folds along k.
        psum: the register inside the array; starts each fold at zero.
        accumulator: the register behind it.
        start: what the accumulators hold at first; broadcasts to the outputs.
        todo: bool of the outputs' shape; what is returned for the others has no meaning. None asks for all.

    Raises:
        ExecutionError: segments that do not sum to k, or a value that leaves 64 bits in an exact register.
    """
    shape = (*a.shape[:-1], w.shape[-1])
    folds = check_segments(segments, w.shape[-2])
    begin = np.broadcast_to(np.asarray(start, np.int64), shape)
    lane = _lane(a, w, folds, psum, accumulator, magnitude(begin))
    if lane is None:
        return _one_by_one(a, w, folds, psum, accumulator, begin)
    m, n = shape[-2:]
    left, right = a.reshape(-1, *a.shape[-2:]), w.reshape(-1, *w.shape[-2:])
    values = begin.reshape(-1, m, n)
    wanted = np.ones(values.shape, bool) if todo is None else todo.reshape(values.shape)
    narrow = n < NARROW < m
    if narrow:  # lanes run over outputs of one row: let them run over m where n is small
        left, right = right.swapaxes(1, 2), left.swapaxes(1, 2)
        values, wanted = values.swapaxes(1, 2), wanted.swapaxes(1, 2)
    values = np.array(values, np.int64, order="C")
    tiles = np.logical_or.reduceat(wanted, range(0, wanted.shape[2], TILE), axis=2) if wanted.size else wanted
    peaks = np.abs(values)
    events = (~_fits(values, accumulator)).astype(np.int64)
    values = _reduce(values, accumulator)
    reach = int(folds.max(initial=0)) * magnitude(a) * magnitude(w)
    ordered(
        np.ascontiguousarray(left, lane),
        np.ascontiguousarray(right, lane),
        folds,
        _register(psum, reach, np.iinfo(lane)),
        _register(accumulator, None, np.iinfo(np.int64)),
        np.ascontiguousarray(tiles),
        values,
        events,
        peaks,
        lane,
    )
    back = (x.swapaxes(1, 2) if narrow else x for x in (values, events, peaks))
    values, events, peaks = (np.ascontiguousarray(x).reshape(shape) for x in back)
    return Ordered(values=values, events=events, peaks=peaks)


def _lane(
    a: np.ndarray, w: np.ndarray, folds: np.ndarray, psum: Accumulator, accumulator: Accumulator, start: int
) -> type[np.signedinteger] | None:
    """Return the lane type that provably holds every sum before its reduction; None where not even int64 does."""
    product = magnitude(a) * magnitude(w)
    inside = int(folds.max(initial=0)) * product
    held = inside
    if psum.overflow is not Overflow.EXACT and inside > psum.maximum:
        held = -psum.minimum
        inside = held + product
    behind = start + len(folds) * held
    if accumulator.overflow is not Overflow.EXACT:
        behind = max(start, min(behind, -accumulator.minimum + held))
    if max(inside, behind, magnitude(a), magnitude(w)) >= INT64_SAFE:
        return None
    return np.int32 if max(inside, magnitude(a), magnitude(w)) <= INT32_LIMIT else np.int64


def _register(register: Accumulator, reach: int | None, lane: np.iinfo) -> np.ndarray:
    """Return ``[mode, low, high, skip_zeros]``; a register that ``reach`` cannot fill is exact and without events."""
    if register.bits is None or (reach is not None and reach <= register.maximum):
        return np.array([EXACT, int(lane.min), int(lane.max), 1], np.int64)
    mode = MODES[register.overflow]
    low, high = max(register.minimum, int(lane.min)), min(register.maximum, int(lane.max))
    return np.array([mode, low, high, mode != EXACT], np.int64)


def _fits(values: np.ndarray, register: Accumulator) -> np.ndarray:
    return (values >= register.minimum) & (values <= register.maximum)


def _reduce(values: np.ndarray, register: Accumulator) -> np.ndarray:
    """Return ``register.reduce`` of every value."""
    if register.overflow is Overflow.EXACT or _fits(values, register).all():
        return values
    if register.overflow is Overflow.SATURATE:
        return np.clip(values, register.minimum, register.maximum)
    return ((values - register.minimum) & (register.maximum - register.minimum)) + register.minimum


def _one_by_one(
    a: np.ndarray, w: np.ndarray, folds: np.ndarray, psum: Accumulator, accumulator: Accumulator, start: np.ndarray
) -> Ordered:
    """Run the definition for every output: slow, for sums that could leave 64 bits on the way."""
    values, events, peaks = (np.zeros(start.shape, object) for _ in range(3))
    for index in np.ndindex(start.shape):
        *group, i, j = index
        products = [int(x) * int(y) for x, y in zip(a[(*group, i)], w[(*group, slice(None), j)], strict=True)]
        values[index], events[index], peaks[index] = accumulate_one(
            products, segments=folds.tolist(), psum=psum, accumulator=accumulator, start=int(start[index])
        )
    widest = max((abs(int(value)) for value in values.flat), default=0)
    if widest > INT64_MAX:
        raise ExecutionError(f"accumulate: a sum reaches {widest}, beyond 64 bits; use narrower operands or registers")
    if max((int(peak) for peak in peaks.flat), default=0) <= INT64_MAX:
        peaks = peaks.astype(np.int64)
    return Ordered(values=values.astype(np.int64), events=events.astype(np.int64), peaks=peaks)
