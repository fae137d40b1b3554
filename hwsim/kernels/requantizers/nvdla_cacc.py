"""Fast twin of ``hwsim.numerics.requantizers.nvdla_cacc``: a rounding shift; its 32 bits bind only wider outputs."""

from __future__ import annotations

from functools import partial

from hwsim.kernels.requantizers import _common_shift, fixed_point
from hwsim.kernels.requantizers._work import Codes, Columns
from hwsim.numerics.requantizers.nvdla_cacc import WIDE
from hwsim.numerics.rounding import Rounding


def requantize(work: Columns) -> Codes | None:
    """Return codes ``[rows, n]`` and the two clip counts; None for outputs that 32 bits do not hold."""
    if not -WIDE < work.low - work.zero_point <= work.high - work.zero_point < WIDE - 1:
        return None
    return fixed_point.rounded(work, Rounding.HALF_AWAY)


rescale_sum = partial(_common_shift.rescale_sum, requantize=requantize)
