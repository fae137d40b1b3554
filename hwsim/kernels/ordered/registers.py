"""Registers followed addition by addition, for the outputs that the optimistic pass leaves in doubt."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.ordered.picks import Terms
from hwsim.kernels.ordered.recount import (
    keep_groups,
    keep_products,
    saturate_groups,
    saturate_products,
    wrap_groups,
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


@kernel
def _count(
    mode: Any,
    terms: Terms,
    i: Any,
    begin: Any,
    end: Any,
    panels: Any,
    panel: Any,
    shift: Any,
    state: Any,
    edges: Any,
) -> None:
    x, picks, ends, _ = terms
    if ends.shape[1] > 0:
        if mode == SATURATE:
            saturate_groups(x, picks, ends, i, begin, end, panels, panel, shift, state, edges)
        elif mode == WRAP:
            wrap_groups(x, picks, ends, i, begin, end, panels, panel, shift, state, edges)
        else:
            keep_groups(x, picks, ends, i, begin, end, panels, panel, shift, state, edges)
    elif mode == SATURATE:
        saturate_products(x, picks, ends, i, begin, end, panels, panel, shift, state, edges)
    elif mode == WRAP:
        wrap_products(x, picks, ends, i, begin, end, panels, panel, shift, state, edges)
    else:
        keep_products(x, picks, ends, i, begin, end, panels, panel, shift, state, edges)


@kernel
def _restart(accumulator: Any, values: Any, events: Any, peaks: Any) -> None:
    """Write the start values into the accumulators."""
    for j in range(len(values)):
        values[j], over, peaks[j] = _add(accumulator, np.int64(0), values[j])
        events[j] = over


@kernel
def _end_fold(accumulator: Any, partial: Any, values: Any, events: Any, peaks: Any) -> None:
    """Add the partial sums to the accumulators and start the next fold at zero."""
    for j in range(len(values)):
        values[j], over, magnitude = _add(accumulator, values[j], np.int64(partial[j]))
        events[j] += over
        peaks[j] = max(peaks[j], magnitude)
    partial[:] = 0


@kernel
def recount_group(
    terms: Terms,
    pieces: Any,
    panels: Any,
    panel: Any,
    shift: Any,
    doubtful: Any,
    psum: Any,
    accumulator: Any,
    edges: Any,
    state: Any,
    values: Any,
    events: Any,
    peaks: Any,
) -> None:
    """Follow the registers of the rows ``doubtful`` for the group of columns that begins at lane ``shift``."""
    for i in doubtful:
        _restart(accumulator, values[i], events[i], peaks[i])
        state[i] = 0
    for p in range(len(pieces)):
        for i in doubtful:
            _count(psum[0], terms, i, terms.bounds[i, p], terms.bounds[i, p + 1], panels, panel, shift, state, edges)
            if pieces[p, 1]:
                _end_fold(accumulator, state[i, 0], values[i], events[i], peaks[i])


@kernel
def finish(state: Any, sums: Any, begin: Any, psum: Any, events: Any, peaks: Any) -> None:
    """Add the events and the largest magnitudes of psum. An overflow is larger than all that fits."""
    for j in range(len(events)):
        events[j] += state[1, j]
        largest: Any = np.int64(state[2, j])
        smallest: Any = np.int64(state[3, j])
        if state.itemsize > 2:
            inside = max(largest, -smallest)
        elif state[1, j] > 0:
            inside = max(psum[2] + largest, -psum[1] - smallest)
        else:
            inside = max(np.int64(sums[1, begin + j]), -np.int64(sums[2, begin + j]))
        peaks[j] = max(peaks[j], inside)
