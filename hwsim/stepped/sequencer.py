"""The definition of the sequencer: a small state machine in plain Python, one command a cycle."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.kernels.stepped import Geometry, Schedule
from hwsim.kernels.stepped.records import (
    ALONE,
    CHAIN,
    CYCLES,
    FIRST,
    OFFSET,
    PARALLEL,
    RESULT,
    RESULTS,
    SHIFT,
    USE,
    VECTORS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What the sequencer says in one cycle: control bits, the vector that streams, the row that the chain takes."""

    bits: int = 0
    vector: int | None = None
    row: int | None = None


class Sequencer:
    """Folds in order: passes of the chain bring operands and take results, streams compute."""

    def __init__(self, built: Geometry, plan: Schedule) -> None:
        self.built, self.plan = built, plan
        self.fold, self.streamed = 0, 0  # the next fold, and vectors of the current one, gone
        self.streaming, self.passing = False, False
        self.number, self.shifted = int(plan.rules.first_pass), 0
        self.missing = 0  # results that have not left
        self.pass_cycles = [0] * int(plan.rules.passes)

    def _start(self, cycle: int) -> None:
        plan, number, fold = self.plan, self.number, self.fold
        bank_is_free = fold - self.streaming > number - plan.rules.banks
        pass_may = bank_is_free and not (plan.rules.load_waits and self.missing)
        fold_may = fold < min(number, len(plan.folds)) and not (plan.folds[fold, ALONE] and self.missing)
        if not self.passing and number < plan.rules.passes and pass_may:
            self.passing, self.shifted = True, 0
            self.pass_cycles[number] = cycle
        if not self.streaming and fold_may:
            self.streaming, self.streamed = True, 0
            self.fold += 1
            self.missing += int(plan.folds[fold, RESULTS])

    def step(self, cycle: int) -> Command:
        """Return the command of ``cycle``."""
        self._start(cycle)
        plan, built, fold, number = self.plan, self.built, max(self.fold - 1, 0), self.number
        bits, vector, row = USE * (fold % plan.rules.banks) | CHAIN * (number % plan.rules.banks), None, None
        if self.passing:
            bits |= SHIFT | (RESULT if plan.rules.drains and number >= plan.rules.banks else 0)
            if plan.rules.loads and number < len(plan.folds):
                row = number * plan.rules.chain_cycles + self.shifted
            self.shifted += 1
            if self.shifted == plan.rules.chain_cycles:
                self.passing, self.number = False, number + 1
        if self.streaming:
            if self.streamed < plan.folds[fold, VECTORS]:
                vector = int(plan.folds[fold, OFFSET]) + self.streamed
                bits |= 0 if built.accumulates else RESULT
            if built.accumulates and self.streamed == 0 and not plan.rules.loads:
                bits |= FIRST
            self.streamed += 1
            if self.streamed == plan.folds[fold, CYCLES]:
                self.streaming = False
                bits |= RESULT if built.exit == PARALLEL else 0
        return Command(bits=bits, vector=vector, row=row)

    @property
    def done(self) -> bool:
        """Whether all has been computed and has left."""
        computed = self.fold == len(self.plan.folds) and not self.streaming
        return computed and not self.missing and self.number >= self.plan.rules.passes
