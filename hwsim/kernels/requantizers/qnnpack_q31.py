"""Fast twin of ``hwsim.numerics.requantizers.qnnpack_q31``: the arithmetic of CMSIS-NN, shifts of 31 and more."""

from __future__ import annotations

from functools import partial

from hwsim.kernels.requantizers import _common_shift, fixed_point
from hwsim.kernels.requantizers.cmsis_nn import requantize
from hwsim.numerics.rounding import Rounding

__all__ = ["requantize", "rescale_sum"]

rescale_sum = partial(_common_shift.rescale_sum, requantize=partial(fixed_point.rounded, rounding=Rounding.HALF_AWAY))
