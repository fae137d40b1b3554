"""How wide the compiled loops must compute so that nothing leaves its lane: proven from magnitudes on Python integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.numerics.accumulator import Accumulator, Overflow

INT16_MAX = (1 << 15) - 1
INT32_MAX = (1 << 31) - 1
INT64_SAFE = 1 << 62
Lane = type[np.signedinteger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The largest magnitudes of one ordered product.

    Args:
        operand: of an activation or a weight.
        product: of one product.
        group: of the sum of one adder-tree group.
        fold: of the sum of one fold, had psum no end.
        folds: how many folds there are.
        k: products of one output.
        start: of what the accumulators hold at first.
    """

    operand: int
    product: int
    group: int
    fold: int
    folds: int
    k: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Lane types: of the operands and optimistic partial sums, of the optimistic totals, of the recounted psum."""

    sums: Lane
    totals: Lane
    recount: Lane


def fills(register: Accumulator, reach: int) -> bool:
    """Whether sums up to ``reach`` in magnitude may not fit the register."""
    return register.bits is not None and reach > register.maximum


def choose_lanes(reach: Reach, psum: Accumulator, accumulator: Accumulator) -> Lanes | None:
    """Return the narrowest lanes that are exact; None where not even 64 bits are.

    Optimistic sums are not reduced: one of them is exact until the first event, which the extremes then show; what
    follows is recounted and may be anything. So a lane must hold what a register can hold plus one addend. Lanes of 16
    bits saturate, and need only hold the addend.
    """
    inside = held = reach.fold
    if fills(psum, reach.fold) and psum.overflow is not Overflow.EXACT:
        held = -psum.minimum
        inside = held + reach.group
    behind = reach.start + reach.folds * held
    if accumulator.overflow is not Overflow.EXACT:
        behind = max(reach.start, min(behind, -accumulator.minimum + held))
    if max(inside, behind, reach.operand) >= INT64_SAFE:
        return None
    wide: Lane = np.int32 if max(inside, reach.operand) <= INT32_MAX else np.int64
    recount = wide
    sums = wide
    if max(reach.operand, reach.group) <= INT16_MAX and (reach.fold <= INT16_MAX or (psum.bits or 64) <= 16):
        sums = np.int16
        if fills(psum, reach.fold) and psum.overflow is Overflow.SATURATE and reach.k <= INT16_MAX:
            recount = np.int16
    totals: Lane = np.int32 if max(behind, held) <= INT32_MAX and wide is np.int32 else np.int64
    return Lanes(sums=sums, totals=totals, recount=recount)
