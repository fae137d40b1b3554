"""Tiles in time: loads, computation and stores as an event recurrence over one DRAM channel.

Step i may compute when its tile has arrived and step i - 1 is done. Its load may start when the channel is free and its
buffer is: with double buffering when step i - 2 is done, else when step i - 1 is. The channel serves the load of step
i + 1 before the store of step i. Data arrive ``latency`` cycles after the channel sent them; the channel is free before.

    sent[i]  = max(free, done[i - 2 or i - 1]) + load[i] ;  done[i] = max(done[i - 1], sent[i] + latency) + compute[i]
"""

from __future__ import annotations

import numpy as np

EXACT_STEPS = 20_000


def finish_time(
    load: np.ndarray, compute: np.ndarray, store: np.ndarray, *, latency: int, double_buffered: bool, repeats: int = 1
) -> int:
    """Return the cycle in which the last store (or computation) ends.

    Args:
        load: cycles on the channel before each step, int64 ``[steps]``.
        compute: cycles of the array.
        store: cycles on the channel after each step.
        latency: cycles from the channel to the buffer.
        double_buffered: whether loads run under computation.
        repeats: the sequence is run so often (groups). Beyond ``EXACT_STEPS`` steps the remaining repeats add the time
            that the last repeat took, which is exact once the recurrence has settled.
    """
    rounds = max(3, min(repeats, EXACT_STEPS // max(load.size, 1)))
    if repeats <= rounds:
        return _run(load, compute, store, latency, double_buffered, repeats)
    last = _run(load, compute, store, latency, double_buffered, rounds)
    before = _run(load, compute, store, latency, double_buffered, rounds - 1)
    return last + (repeats - rounds) * (last - before)


def _run(
    load: np.ndarray, compute: np.ndarray, store: np.ndarray, latency: int, double_buffered: bool, repeats: int
) -> int:
    free = done = before = 0
    pending = 0
    loads, computes, stores = (np.tile(part, repeats).tolist() for part in (load, compute, store))
    for to_load, to_compute, to_store in zip(loads, computes, stores, strict=True):
        ready = done
        if to_load:
            free = max(free, before if double_buffered else done) + to_load
            ready = max(done, free + latency)
        if pending:
            free = max(free, done) + pending
        before, done = done, ready + to_compute
        pending = to_store
    return max(done, max(free, done) + pending)
