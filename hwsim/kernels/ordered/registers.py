"""Registers of both kinds, followed addition by addition over pieces and folds."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.ordered.picks import Terms
from hwsim.kernels.ordered.recount import (
    keep_groups,
    keep_products,
    saturate_16_bits,
    saturate_groups,
    saturate_lightly,
    saturate_products,
    wrap_groups,
    wrap_lightly,
    wrap_products,
)

EXACT, WRAP, SATURATE = 0, 1, 2


@kernel
def _add(register: Any, held: Any, addend: Any) -> Any:
    """Return what the register ``[mode, low, high, ...]`` holds, whether that is an event, and the magnitude before."""
    mode, low, high = register[0], register[1], register[2]
    total = held + addend
    kept = total
    if mode == SATURATE:
        kept = min(max(total, low), high)
    elif mode == WRAP:
        kept = ((total - low) & (high - low)) + low
    over = (total < low) or (total > high)
    return kept, over, abs(total)


@numba.njit(inline="always")  # its arguments, taken apart, are a hundred words
def _count(
    psum: Any,
    terms: Terms,
    i: Any,
    begin: Any,
    end: Any,
    panels: Any,
    panel: Any,
    state: Any,
    edges: Any,
    is_light: Any,
) -> None:
    """Add one piece to the registers of row i, without following the extremes where ``is_light``."""
    x, picks, ends, _ = terms
    mode, lift = psum[0], psum[4]
    if ends.shape[1] > 0:
        if mode == SATURATE:
            saturate_groups(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
        elif mode == WRAP:
            wrap_groups(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
        else:
            keep_groups(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
    elif is_light and mode == SATURATE:
        if lift >= 0:
            saturate_16_bits(x, picks, ends, i, begin, end, panels, panel, lift, state, edges)
        else:
            saturate_lightly(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
    elif is_light and mode == WRAP:
        wrap_lightly(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
    elif mode == SATURATE:
        saturate_products(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
    elif mode == WRAP:
        wrap_products(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)
    else:
        keep_products(x, picks, ends, i, begin, end, panels, panel, 0, state, edges)


@kernel
def restart(accumulator: Any, values: Any, events: Any, peaks: Any) -> None:
    """Write the start values into the accumulators."""
    for j in range(len(values)):
        values[j], over, peaks[j] = _add(accumulator, np.int64(0), values[j])
        events[j] = over


@kernel
def end_fold(accumulator: Any, partial: Any, values: Any, events: Any, peaks: Any) -> None:
    """Add the partial sums to the accumulators and start the next fold at zero."""
    for j in range(len(values)):
        values[j], over, magnitude = _add(accumulator, values[j], np.int64(partial[j]))
        events[j] += over
        peaks[j] = max(peaks[j], magnitude)
    partial[:] = 0


@kernel
def _largest_product(a: Any, sizes: Any) -> Any:
    """Return a bound on the magnitudes of the products of one piece."""
    narrow = sizes.dtype.type
    largest = narrow(0)
    for k in range(len(a)):
        largest = max(largest, narrow(narrow(abs(a[k])) * sizes[k]))
    return np.int64(largest)


@kernel
def recount_tile(
    a: Any,
    terms: Terms,
    pieces: Any,
    panels: Any,
    panel: Any,
    sizes: Any,
    rows: Any,
    psum: Any,
    accumulator: Any,
    edges: Any,
    state: Any,
    values: Any,
    events: Any,
    peaks: Any,
    best: Any,
) -> None:
    """Follow the registers of the rows ``rows`` for one tile of columns.

    A sum before reduction is at most a full register and one product. Pieces in which that is no more than ``best``, a
    magnitude that is known already, do not follow the extremes.

    Args:
        a: lanes ``[rows, k]``.
        terms: of these rows.
        pieces: int64 ``[p, 2]``.
        panels: lanes ``[panels, k, tile]``.
        panel: which of them.
        sizes: int32 or int64 ``[k]``, largest magnitudes of its rows; holds products.
        rows: int64, which rows.
        psum: the register.
        accumulator: the register behind it.
        edges: lanes ``[2]``: low and high of psum.
        state: lanes ``[rows, 4, tile]``, written.
        values: int64 ``[rows, tile]``, start values at first.
        events: int64, likewise, written.
        peaks: int64, likewise, written: what the accumulators saw.
        best: the largest magnitude known.
    """
    for i in rows:
        restart(accumulator, values[i], events[i], peaks[i])
        state[i] = 0
    begin = 0
    room = best + psum[1]
    for p in range(len(pieces)):
        end = pieces[p, 0]
        for i in rows:
            is_light = psum[0] != EXACT and room > 0 and _largest_product(a[i, begin:end], sizes[begin:end]) <= room
            _count(psum, terms, i, terms.bounds[i, p], terms.bounds[i, p + 1], panels, panel, state, edges, is_light)
            if pieces[p, 1]:
                end_fold(accumulator, state[i, 0], values[i], events[i], peaks[i])
        begin = end


@kernel
def finish(state: Any, psum: Any, todo: Any, events: Any, peaks: Any, tops: Any, best: Any) -> Any:
    """Add the events and the largest magnitudes of psum; return the largest known. An overflow is larger than all that fits."""
    for j in range(len(events)):
        events[j] += state[1, j]
        largest: Any = np.int64(state[2, j])
        smallest: Any = np.int64(state[3, j])
        tops[j] = peaks[j]
        if state.itemsize > 2:
            tops[j] = peaks[j] = max(peaks[j], max(largest, -smallest))
        elif largest > 0 or smallest < 0:
            above = psum[2] + largest if largest > 0 else np.int64(0)
            below = -psum[1] - smallest if smallest < 0 else np.int64(0)
            tops[j] = peaks[j] = max(peaks[j], max(above, below))
        else:
            tops[j] = max(peaks[j], -psum[1])
        if todo[j]:
            best = max(best, peaks[j])
    return best
