"""The array's edges in one cycle: what enters, and what comes out of the output registers.

Places are unsigned, which spares a check of each for negative ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.stepped.records import BITS, RESULT, RIGHT, ROW, STREAM


@kernel
def enter_left(
    geometry: Any, t: Any, left: Any, commands: Any, memory: Any, operand: Any, control: Any, stream_cycles: Any
) -> None:
    """Fetch what enters at the left: the command of row r has come down ``hop`` registers a row."""
    last = len(commands) - 1
    vector = commands[t & last, STREAM]
    if vector >= 0:
        stream_cycles[vector, 0] = t
    vector = commands[(t - geometry.hop * (geometry.rows - 1)) & last, STREAM]
    if vector >= 0:
        stream_cycles[vector, 1] = t
    at, step = np.uint64(0), np.uint64(geometry.columns)
    for r in range(np.uint64(geometry.rows)):
        slot = np.uint64((t - geometry.hop * np.int64(r)) & last)
        vector = commands[slot, STREAM]
        memory[np.uint64(operand) + at] = left[np.uint64(vector), r] if vector >= 0 else 0
        memory[np.uint64(control) + at] = commands[slot, BITS]
        at += step


@kernel
def enter_above(geometry: Any, t: Any, top: Any, commands: Any, memory: Any, vertical: Any) -> None:
    """Fetch what enters above: column c is c registers behind; partial sums meet products behind the multiplier."""
    last = len(commands) - 1
    late = 0 if geometry.accumulates else geometry.multiplier
    if len(top) > 0:
        for c in range(np.uint64(geometry.columns)):
            vector = commands[np.uint64((t - np.int64(c) - late) & last), STREAM]
            memory[np.uint64(vertical) + c] = top[np.uint64(vector), c] if vector >= 0 else 0


@kernel
def enter_chain(geometry: Any, t: Any, chain: Any, commands: Any, memory: Any, link: Any) -> None:
    """Fetch what enters the chain: rows from above, or zeros at the left."""
    last = len(commands) - 1
    late = geometry.multiplier if geometry.accumulates else 0
    if geometry.exit == RIGHT:
        for r in range(geometry.rows):
            memory[link + r * geometry.columns] = 0
    elif len(chain) > 0:
        for c in range(np.uint64(geometry.columns)):
            row = commands[np.uint64((t - np.int64(c) - late) & last), ROW]
            memory[np.uint64(link) + c] = chain[np.uint64(row), c] if row >= 0 else 0


@kernel
def leave(geometry: Any, layout: Any, t: Any, memory: Any, shown: Any, control: Any) -> None:
    """Put what the ports show behind the output registers: the last column, the last row, or every element."""
    output = layout.output + layout.ports * (t & (layout.output_slots - 1))
    valid = layout.valid + layout.ports * (t & (layout.valid_slots - 1))
    step = np.uint64(geometry.columns if geometry.exit == RIGHT else 1)
    first = geometry.columns - 1 if geometry.exit == RIGHT else geometry.rows * geometry.columns - layout.ports
    at = np.uint64(first)
    for p in range(np.uint64(layout.ports)):
        memory[np.uint64(output) + p] = memory[np.uint64(shown) + at]
        memory[np.uint64(valid) + p] = memory[np.uint64(control) + at] & RESULT
        at += step


@kernel
def note(geometry: Any, layout: Any, t: Any, memory: Any, values: Any, value_cycles: Any, counts: Any) -> Any:
    """Note the results that come out of the output registers; return how many."""
    output = layout.output + layout.ports * ((t - geometry.latency) & (layout.output_slots - 1))
    valid = layout.valid + layout.ports * ((t - geometry.latency - geometry.multiplier) & (layout.valid_slots - 1))
    seen = 0
    for p in range(np.uint64(layout.ports)):
        if memory[np.uint64(valid) + p]:
            n = np.uint64(counts[p])
            values[n, p] = memory[np.uint64(output) + p]
            value_cycles[n, p] = t
            counts[p] += 1
            seen += 1
    return seen


@kernel
def trace_inputs(
    geometry: Any, t: Any, memory: Any, operand: Any, control: Any, vertical: Any, link: Any, log: Any
) -> None:
    """Keep what enters in cycle ``t``."""
    for r in range(geometry.rows):
        log.left[t, r] = memory[operand + r * geometry.columns]
        log.control[t, r] = memory[control + r * geometry.columns]
    for c in range(geometry.columns):
        log.top[t, c] = memory[vertical + c]
        log.chain[t, c] = 0 if geometry.exit == RIGHT else memory[link + c]


@kernel
def trace_outputs(geometry: Any, layout: Any, t: Any, memory: Any, log: Any) -> None:
    """Keep what the ports show in cycle ``t``, results or not."""
    output = layout.output + layout.ports * ((t - geometry.latency) & (layout.output_slots - 1))
    valid = layout.valid + layout.ports * ((t - geometry.latency - geometry.multiplier) & (layout.valid_slots - 1))
    for p in range(layout.ports):
        log.output[t, p] = memory[output + p]
        log.valid[t, p] = memory[valid + p] != 0
