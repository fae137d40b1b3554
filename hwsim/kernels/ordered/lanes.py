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


def fills(register: Accumulator, reach: int) -> bool:
    """Whether sums up to ``reach`` in magnitude may not fit the register."""
    return register.bits is not None and reach > register.maximum


def choose_lane(reach: Reach, psum: Accumulator, accumulator: Accumulator) -> Lane | None:
    """Return the narrower of 32 and 64 bits that is exact for psum; None where 64 bits are not even for both registers.

    A lane must hold what a register can hold plus one addend.
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
    return np.int32 if max(inside, reach.operand) <= INT32_MAX else np.int64


def fits_16_bits(reach: Reach, psum: Accumulator) -> bool:
    """Whether saturating additions of 16 bits do: they need only hold the register and the addend, not their sum."""
    return (
        psum.overflow is Overflow.SATURATE
        and psum.bits is not None
        and psum.bits <= 16
        and fills(psum, reach.fold)
        and max(reach.operand, reach.group, reach.k) <= INT16_MAX
    )
