"""Rescale the partial sums of one fold and add them to the accumulators: the fast twin of ``hwsim.numerics.scaled_sums``.

Every rounding is an offset and a shift (see ``hwsim.kernels.requantizers.fixed_point``), so that one loop serves them all.
Sums that could leave 64 bits on the way run the definition, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.cache import kernel
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers.fixed_point import offsets
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.rounding import Rounding, rounding_shift

INT64_SAFE = 1 << 62
LONGEST = 60  # shift: from there on a product that is safe is less than a quarter of a step
INT64_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Added:
    """Accumulators after one more fold.

    Args:
        values: int64 ``[groups, m, n]``.
        overflowed: which additions did not fit the register, bool of that shape.
        peak: the largest magnitude of a sum before any reduction.
    """

    values: np.ndarray
    overflowed: np.ndarray
    peak: int


def add_scaled(
    held: np.ndarray,
    sums: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    rounding: Rounding,
    accumulator: Accumulator,
) -> Added:
    """Return ``held + rounding_shift(sums * multiplier, shift)`` as the accumulators hold it.

    Args:
        held: int64 ``[groups, m, n]``.
        sums: partial sums of the fold, int64 of that shape.
        multiplier: int64 ``[groups, n]``.
        shift: int64 ``[groups, n]``; a negative one multiplies.
        rounding: of the terms.
        accumulator: the register and its overflow rule.

    Raises:
        ExecutionError: a sum beyond 64 bits in an exact register.
    """
    left, right = np.maximum(-shift, 0), np.maximum(shift, 0)
    room = int(left.max(initial=0))
    reach = (magnitude(sums) * magnitude(multiplier)) << room
    if room > LONGEST or reach >= 1 << (LONGEST - 2) or magnitude(held) >= INT64_SAFE:
        return _one_by_one(held, sums, multiplier, shift, rounding, accumulator)
    right = np.minimum(right, LONGEST)
    values, overflowed = np.empty(held.shape, np.int64), np.zeros(held.shape, bool)
    wraps = accumulator.overflow is Overflow.WRAP
    clamps = accumulator.overflow is Overflow.SATURATE
    unused = 64 - (accumulator.bits or 64)
    peak = _add(
        np.ascontiguousarray(held),
        np.ascontiguousarray(sums),
        np.ascontiguousarray(multiplier << left),
        np.ascontiguousarray(right),
        offsets(right, rounding),
        (accumulator.minimum, accumulator.maximum, unused),
        (wraps, clamps),
        values,
        overflowed,
    )
    return Added(values=values, overflowed=overflowed, peak=int(peak))


@kernel
def _add(
    held: Any,
    sums: Any,
    multiplier: Any,
    shift: Any,
    offset: Any,
    register: Any,
    rule: Any,
    values: Any,
    overflowed: Any,
) -> Any:
    """Write the accumulators and which additions overflowed; return the largest magnitude. Nothing leaves 64 bits."""
    groups, m, n = held.shape
    low, high, unused = register
    wraps, clamps = rule
    peak = 0
    for g in range(groups):
        base, negative, odd = offset[0, g], offset[1, g], offset[2, g]
        for i in range(m):
            for j in range(n):
                product = sums[g, i, j] * multiplier[g, j]
                places = shift[g, j]
                rest = base[j] + ((product >> 63) & negative[j]) + ((product >> places) & odd[j])
                total = held[g, i, j] + ((product + rest) >> places)
                peak = max(peak, abs(total))
                misses = total < low or total > high
                overflowed[g, i, j] = misses
                if misses and clamps:
                    total = low if total < low else high
                elif misses and wraps:
                    total = (total << unused) >> unused
                values[g, i, j] = total
    return peak


def _one_by_one(
    held: np.ndarray,
    sums: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    rounding: Rounding,
    accumulator: Accumulator,
) -> Added:
    """Run the definition for every output."""
    values, overflowed, peak = np.empty(held.shape, object), np.zeros(held.shape, bool), 0
    for g, i, j in np.ndindex(held.shape):
        term = rounding_shift(int(sums[g, i, j]) * int(multiplier[g, j]), int(shift[g, j]), rounding)
        total = int(held[g, i, j]) + term
        overflowed[g, i, j] = not accumulator.fits(total)
        peak = max(peak, abs(total))
        values[g, i, j] = accumulator.reduce(total)
    widest = max((abs(int(value)) for value in values.flat), default=0)
    if widest > INT64_MAX:
        raise ExecutionError(
            f"segment_scaling: an accumulator reaches {widest}, beyond 64 bits; use fewer fraction bits or a register "
            "with an overflow rule"
        )
    return Added(values=values.astype(np.int64), overflowed=overflowed, peak=peak)
