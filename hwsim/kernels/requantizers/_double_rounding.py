"""Fast twin of ``hwsim.numerics.requantizers._double_rounding``: the product in numpy, the division by ``fixed_point``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import fixed_point
from hwsim.kernels.requantizers._work import Codes, Columns, Terms, shaped
from hwsim.numerics.requantizers._double_rounding import FRACTION_BITS, DoubleSumConstants
from hwsim.numerics.rounding import Rounding

TOP = 1 << 31
LONGEST = 61


def _high(values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, saturates: bool) -> np.ndarray:
    """Return the upper halves of the doubled products, int64; ``values`` int64, multipliers of 32 bits."""
    left = np.clip(FRACTION_BITS - shift, 0, 32)
    raised = np.left_shift(values, left) if left.any() else values
    high = raised.astype(np.int32) * multiplier
    high += 1 << (FRACTION_BITS - 1)
    high >>= FRACTION_BITS
    if (multiplier == -TOP).any():
        high[high == TOP] = TOP - 1 if saturates else -TOP
    return high


def requantize(work: Columns, *, saturates: bool) -> Codes | None:
    """Return codes ``[rows, n]`` and the counts clipped at ``low`` and ``high``; None for multipliers beyond 32 bits."""
    multiplier = work.multiplier
    if multiplier.size and not -TOP <= int(multiplier.min()) <= int(multiplier.max()) < TOP:
        return None
    products = _high(work.acc, multiplier, work.shift, saturates)
    right = np.clip(work.shift - FRACTION_BITS, 0, LONGEST)
    divided = replace(work, acc=products, multiplier=np.ones_like(right), shift=right)
    return fixed_point.rounded(divided, Rounding.HALF_AWAY)


def rescale_sum(terms: Terms, *, saturates: bool) -> Codes | None:
    """Return codes of the tensors' shape and the two clip counts; None where a code leaves 32 bits when it moves up."""
    constants = terms.constants
    assert isinstance(constants, DoubleSumConstants)
    total = np.zeros(terms.tensors[0].shape, np.int64)
    for tensor, multiplier, shift in zip(terms.tensors, constants.multiplier, constants.shifts, strict=True):
        if magnitude(tensor) << constants.left_shift >= TOP:
            return None
        part = _high(tensor.astype(np.int64) << constants.left_shift, multiplier, shift, saturates)
        right = min(max(int(shift) - FRACTION_BITS, 0), LONGEST)
        if right:
            part += (1 << (right - 1)) - (part < 0)
            part >>= right
        total += part
    column = terms.column(total, constants.total_multiplier)
    return shaped(requantize(column, saturates=saturates), total.shape)
