"""The small state machine at the array's corner: one command a cycle; it knows results only by counting them."""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel
from hwsim.kernels.stepped.records import (
    ALONE,
    BITS,
    CHAIN,
    CYCLE,
    CYCLES,
    EXPECTED,
    FIRST,
    LEFT,
    OFFSET,
    OP,
    OP_LEFT,
    PARALLEL,
    RESULT,
    RESULTS,
    ROW,
    SEEN,
    SHIFT,
    STARTED,
    STREAM,
    USE,
    VECTOR,
    VECTORS,
)


@kernel
def _begin(rules: Any, folds: Any, state: Any, pass_cycles: Any) -> None:
    """Start a pass of the chain and a fold where nothing stands in the way."""
    ended = state[STARTED] - (state[LEFT] > 0)
    emptied = state[SEEN] == state[EXPECTED]
    number, fold = state[OP], state[STARTED]
    bank_is_free = number - rules.banks < ended
    if state[OP_LEFT] == 0 and number < rules.passes and bank_is_free and (emptied or not rules.load_waits):
        state[OP_LEFT] = rules.chain_cycles
        pass_cycles[number] = state[CYCLE]
    if state[LEFT] == 0 and fold < len(folds) and fold < number and (emptied or not folds[fold, ALONE]):
        state[STARTED] += 1
        state[LEFT] = folds[fold, CYCLES]
        state[VECTOR] = 0
        state[EXPECTED] += folds[fold, RESULTS]


@kernel
def issue(geometry: Any, rules: Any, folds: Any, state: Any, commands: Any, pass_cycles: Any) -> None:
    """Write this cycle's command and move on.

    Args:
        geometry: the array as built.
        rules: what it goes by.
        folds: ``Schedule.folds``.
        state: the sequencer's registers.
        commands: a ring, written.
        pass_cycles: when each pass began, written.
    """
    _begin(rules, folds, state, pass_cycles)
    fold, number = max(state[STARTED] - 1, 0), state[OP]
    last = rules.banks - 1  # banks are 1 or 2
    bits = USE * (fold & last) + CHAIN * (number & last)
    slot = state[CYCLE] & (len(commands) - 1)
    commands[slot, STREAM] = -1
    commands[slot, ROW] = -1
    if state[OP_LEFT] > 0:
        bits += SHIFT
        if rules.drains and number >= rules.banks:
            bits += RESULT
        if rules.loads and number < len(folds):
            commands[slot, ROW] = (number + 1) * rules.chain_cycles - state[OP_LEFT]
        state[OP_LEFT] -= 1
        state[OP] += state[OP_LEFT] == 0
    if state[LEFT] > 0:
        if state[VECTOR] < folds[fold, VECTORS]:
            commands[slot, STREAM] = folds[fold, OFFSET] + state[VECTOR]
            if not geometry.accumulates:
                bits += RESULT
        if geometry.accumulates and not rules.loads and state[VECTOR] == 0:
            bits += FIRST
        if geometry.exit == PARALLEL and state[LEFT] == 1:
            bits += RESULT
        state[VECTOR] += 1
        state[LEFT] -= 1
    commands[slot, BITS] = bits


@kernel
def finished(rules: Any, count: Any, state: Any) -> Any:
    """Whether all of ``count`` folds have streamed and all results have left."""
    all_left = state[SEEN] == state[EXPECTED] and state[OP] >= rules.passes
    return state[STARTED] == count and state[LEFT] == 0 and all_left
