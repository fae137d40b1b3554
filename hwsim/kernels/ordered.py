"""The compiled loop of ordered accumulation: registers that wrap or saturate after every single addition.

Outputs are independent, so the innermost loop runs over a tile of them; four products are added per pass, in order, so
that the registers travel to memory once for four. Called by ``hwsim.kernels.accumulate``, which proves that nothing here
leaves its lane (int32 where possible, else int64).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel

TILE = 128
EXACT, WRAP, SATURATE = 0, 1, 2


@kernel
def _reduce(mode: Any, value: Any, low: Any, high: Any, lane: Any) -> Any:  # pragma: no cover - compiled
    if mode == EXACT:
        return value
    if mode == SATURATE:
        return min(max(value, low), high)
    return lane(lane(lane(value - low) & lane(high - low)) + low)


@kernel
def _add(mode: Any, partial: Any, product: Any, low: Any, high: Any, events: Any, peak: Any, lane: Any) -> Any:
    total = lane(partial + product)
    kept = _reduce(mode, total, low, high, lane)
    over = (total < low) | (total > high) if mode == EXACT else kept != total
    return kept, lane(events + over), max(peak, lane(abs(total)))


@kernel
def _fold(mode: Any, x: Any, picks: Any, panel: Any, low: Any, high: Any, registers: Any, lane: Any) -> None:
    """Add ``x[p] * panel[p]`` for p in ``picks`` to the registers: partial sums, events, peaks."""
    partial, events, peak = registers[0], registers[1], registers[2]
    count, width = len(picks), panel.shape[1]
    done = count - count % 4
    for t in range(0, done, 4):
        w0, w1, w2, w3 = panel[picks[t]], panel[picks[t + 1]], panel[picks[t + 2]], panel[picks[t + 3]]
        x0, x1, x2, x3 = x[picks[t]], x[picks[t + 1]], x[picks[t + 2]], x[picks[t + 3]]
        for j in range(width):
            s, e, q = partial[j], events[j], peak[j]
            s, e, q = _add(mode, s, lane(x0 * w0[j]), low, high, e, q, lane)
            s, e, q = _add(mode, s, lane(x1 * w1[j]), low, high, e, q, lane)
            s, e, q = _add(mode, s, lane(x2 * w2[j]), low, high, e, q, lane)
            s, e, q = _add(mode, s, lane(x3 * w3[j]), low, high, e, q, lane)
            partial[j], events[j], peak[j] = s, e, q
    for t in range(done, count):
        w0, x0 = panel[picks[t]], x[picks[t]]
        for j in range(width):
            s, e, q = _add(mode, partial[j], lane(x0 * w0[j]), low, high, events[j], peak[j], lane)
            partial[j], events[j], peak[j] = s, e, q


@kernel
def _deposit(mode: Any, low: Any, high: Any, partial: Any, values: Any, events: Any, peaks: Any) -> None:
    """Add the partial sums of one fold to the accumulators."""
    for j in range(len(values)):
        s, e, q = _add(mode, values[j], np.int64(partial[j]), low, high, events[j], peaks[j], np.int64)
        values[j], events[j], peaks[j] = s, e, q


@kernel
def _pick(x: Any, start: Any, stop: Any, skip_zeros: Any, picks: Any) -> Any:
    count = 0
    for p in range(start, stop):
        if x[p] != 0 or not skip_zeros:
            picks[count] = p
            count += 1
    return count


@kernel
def ordered(
    a: Any,
    w: Any,
    segments: Any,
    psum: Any,
    accumulator: Any,
    todo: Any,
    values: Any,
    events: Any,
    peaks: Any,
    lane: Any,
) -> None:
    """Accumulate ``a @ w`` in order for the tiles of ``todo``, in place.

    Args:
        a: lane ``[groups, m, k]``.
        w: lane ``[groups, k, n]``.
        segments: int64 ``[folds]``.
        psum: int64 ``[mode, low, high, skip_zeros]``; a zero product is no event, save in an exact register that is over.
        accumulator: int64 ``[mode, low, high, unused]``.
        todo: bool ``[groups, m, tiles]``.
        values: int64 ``[groups, m, n]``, holds the start values, receives the sums.
        events: int64 of the same shape, holds and receives the overflow counts.
        peaks: int64 of the same shape, holds and receives the largest magnitudes.
        lane: ``np.int32`` or ``np.int64``.
    """
    groups, m, k = a.shape
    n = w.shape[2]
    mode, low, high, skip_zeros = psum[0], lane(psum[1]), lane(psum[2]), psum[3] != 0
    picks = np.empty(k, np.int64)
    for g in range(groups):
        for tile in range(todo.shape[2]):
            if not todo[g, :, tile].any():
                continue
            begin, end = tile * TILE, min((tile + 1) * TILE, n)
            panel = w[g, :, begin:end].copy()
            registers = np.empty((3, end - begin), w.dtype)
            for i in range(m):
                if not todo[g, i, tile]:
                    continue
                registers[:] = 0
                total, over, peak = values[g, i, begin:end], events[g, i, begin:end], peaks[g, i, begin:end]
                position = 0
                for length in segments:
                    registers[0] = 0
                    count = _pick(a[g, i], position, position + length, skip_zeros, picks)
                    if mode == SATURATE:
                        _fold(SATURATE, a[g, i], picks[:count], panel, low, high, registers, lane)
                    elif mode == WRAP:
                        _fold(WRAP, a[g, i], picks[:count], panel, low, high, registers, lane)
                    else:
                        _fold(EXACT, a[g, i], picks[:count], panel, low, high, registers, lane)
                    position += length
                    _deposit(accumulator[0], accumulator[1], accumulator[2], registers[0], total, over, peak)
                for j in range(end - begin):
                    over[j] += registers[1, j]
                    peak[j] = max(peak[j], np.int64(registers[2, j]))
