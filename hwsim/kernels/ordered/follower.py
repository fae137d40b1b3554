"""Registers in vector lanes: reduced after every addition, overflow events counted, extremes followed.

The state of a vector of outputs has four rows: the sums, their overflow events, and the largest and the smallest sum before
reduction. Lanes of 16 bits cannot hold those. There rows 2 and 3 are the largest and the smallest excess
``(sum + addend) - reduced``, which is no longer than an addend and so is exact modulo 2^16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hwsim.kernels.ordered import vector_code as code

STATE_ROWS = 4
Reduction = Callable[[Any, Any, Any, Any], tuple[Any, Any]]


def saturate(builder: Any, total: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the sums that saturating registers hold, and where that is the sum itself."""
    kept = code.call(builder, "smin", code.call(builder, "smax", total, low), high)
    return kept, builder.icmp_signed("==", kept, total)


def wrap(builder: Any, total: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Do the same for registers that wrap."""
    mask = builder.sub(high, low)
    kept = builder.add(builder.and_(builder.sub(total, low), mask), low)
    return kept, builder.icmp_signed("==", kept, total)


def keep(builder: Any, total: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the sums, and where they fit, for registers that are exact and only counted."""
    return total, builder.and_(builder.icmp_signed(">=", total, low), builder.icmp_signed("<=", total, high))


class Follower:
    """The registers of one vector of outputs, inside a loop that adds to them.

    Args:
        builder: of the code.
        state: pointer to the state of the first of these outputs.
        stride: outputs from row to row of the state.
        edges: pointer to the smallest and the largest number that a register holds.
        kind: vector type of the lanes; 16 bits saturate only.
        reduce: one of the rules above; None for lanes of 16 bits that saturate by themselves.
        tracks: whether to follow the extremes.
    """

    def __init__(
        self,
        builder: Any,
        state: Any,
        stride: int,
        edges: Any,
        kind: Any,
        reduce: Reduction | None,
        tracks: bool = True,
    ):
        self._builder, self._state, self._kind, self._reduce, self._tracks = builder, state, kind, reduce, tracks
        self._low, self._high = (code.splat(builder, code.element(builder, edges, code.index(i)), kind) for i in (0, 1))
        self._rows = [code.index(row * stride) for row in range(STATE_ROWS if tracks else 2)]
        self._registers = [code.Register(builder, code.load(builder, state, row, kind)) for row in self._rows]
        self.total, self._fits = self._registers[:2]
        self._fits.value = builder.sub(kind(None), self._fits.value)  # counts what fits from minus the events before
        self._steps = code.Register(builder, code.index(0))

    def add(self, addend: Any) -> None:
        """Add a vector and follow what happens."""
        builder, total, fits = self._builder, self.total, self._fits
        seen = builder.add(total.value, addend)
        if self._kind.element.width == 16:
            whole, kept = seen, code.call(builder, "sadd.sat", total.value, addend)
            if self._reduce is not None:
                kept, _ = self._reduce(builder, kept, self._low, self._high)
            total.value, is_held = kept, builder.icmp_signed("==", whole, kept)
            seen = builder.sub(whole, kept)
        else:
            assert self._reduce is not None
            total.value, is_held = self._reduce(builder, seen, self._low, self._high)
        fits.value = builder.sub(fits.value, builder.sext(is_held, self._kind))
        if self._tracks:
            largest, smallest = self._registers[2:]
            largest.value = code.call(builder, "smax", largest.value, seen)
            smallest.value = code.call(builder, "smin", smallest.value, seen)
        self._steps.value = builder.add(self._steps.value, code.index(1))

    def store(self) -> None:
        """Write the state back behind the loop."""
        builder, kind = self._builder, self._kind
        steps = self._steps.value
        steps = builder.trunc(steps, kind.element) if kind.element.width < 64 else steps
        self._fits.value = builder.sub(code.splat(builder, steps, kind), self._fits.value)
        for register, row in zip(self._registers, self._rows, strict=True):
            code.store(builder, register.value, self._state, row)
