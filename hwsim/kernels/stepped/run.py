"""The clock: edges, elements, outputs, cycle by cycle until all results have left."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.stepped.edges import (
    enter_above,
    enter_chain,
    enter_left,
    leave,
    note,
    trace_inputs,
    trace_outputs,
)
from hwsim.kernels.stepped.elements import (
    accumulate,
    add,
    move,
    multiply,
    multiply_held,
    pass_on,
    pass_results_on,
)
from hwsim.kernels.stepped.records import (
    CYCLE,
    PARALLEL,
    RIGHT,
    SEEN,
    Feed,
    Geometry,
    Layout,
    Log,
    Registers,
    Schedule,
)
from hwsim.kernels.stepped.sequencer import finished, issue


@kernel
def _elements(geometry: Any, layout: Any, t: Any, memory: Any, control: Any, above: Any, entering: Any) -> Any:
    """Clock every element once; return the plane in which the ports look for results."""
    columns = geometry.columns
    size = np.uint64(geometry.rows * columns)
    tall = (geometry.rows + 1) * columns
    held = np.uint64(layout.held)
    operand = np.uint64(layout.operand + (t & 1) * geometry.rows * columns)
    below = np.uint64(layout.vertical + tall * (t & (layout.vertical_slots - 1)) + columns)
    step = 1 if geometry.exit == RIGHT else columns
    leaving = np.uint64(layout.link + tall * (t & (layout.link_slots - 1)) + step)
    last = layout.product_slots - 1
    product = np.uint64(layout.product) + size * np.uint64(t & last)
    ready = np.uint64(layout.product) + size * np.uint64((t - geometry.multiplier) & last)
    if geometry.accumulates:
        late = np.uint64(layout.control) + size * np.uint64((t - geometry.multiplier) & (layout.control_slots - 1))
        total = np.uint64(layout.total)
        multiply(memory, size, operand, np.uint64(above), product)
        move(memory, size, np.uint64(above), below)
        accumulate(memory, size, held, late, ready, geometry.low, geometry.high, geometry.mask, total)
        pass_results_on(memory, size, held, late, total, np.uint64(entering), leaving)
        return layout.total if geometry.exit == PARALLEL else np.int64(leaving)
    multiply_held(memory, size, operand, held, np.uint64(control), product)
    add(memory, size, np.uint64(above), ready, geometry.low, geometry.high, geometry.mask, below)
    pass_on(memory, size, held, np.uint64(control), np.uint64(entering), leaving)
    return np.int64(below)


@kernel
def run(
    geometry: Geometry, layout: Layout, plan: Schedule, feed: Feed, registers: Registers, log: Log, cycles: int
) -> bool:
    """Clock the array for at most ``cycles`` cycles, or until all results have left; return whether they have.

    A cycle reads only what registers held at its start, and its edges. It can be called again to go on.
    """
    memory, state, commands, folds = registers.memory, registers.sequencer, registers.commands, plan.folds
    rules = plan.rules
    left, top, chain, traced = feed.left, feed.top, feed.chain, len(log.output)
    values, value_cycles, counts = log.values, log.value_cycles, log.counts
    stream_cycles, pass_cycles = log.stream_cycles, log.pass_cycles
    size, tall = geometry.rows * geometry.columns, (geometry.rows + 1) * geometry.columns
    rest = np.uint64(size - 1)
    for _ in range(cycles):
        t = state[CYCLE]
        issue(geometry, rules, folds, state, commands, pass_cycles)
        operand, before = layout.operand + (t & 1) * size, layout.operand + (1 - (t & 1)) * size
        control = layout.control + size * (t & (layout.control_slots - 1))
        said = layout.control + size * ((t - 1) & (layout.control_slots - 1))
        above = layout.vertical + tall * ((t - geometry.hop) & (layout.vertical_slots - 1))
        entering = layout.link + tall * ((t - geometry.hop) & (layout.link_slots - 1))
        move(memory, rest, np.uint64(before), np.uint64(operand + 1))
        move(memory, rest, np.uint64(said), np.uint64(control + 1))
        enter_left(geometry, t, left, commands, memory, operand, control, stream_cycles)
        enter_above(geometry, t, top, commands, memory, above)
        enter_chain(geometry, t, chain, commands, memory, entering)
        if t < traced:
            trace_inputs(geometry, t, memory, operand, control, above, entering, log)
        shown = _elements(geometry, layout, t, memory, control, above, entering)
        leave(geometry, layout, t, memory, shown, control)
        if t < traced:
            trace_outputs(geometry, layout, t, memory, log)
        state[SEEN] += note(geometry, layout, t, memory, values, value_cycles, counts)
        state[CYCLE] = t + 1
        if finished(rules, len(folds), state):
            return True
    return False
