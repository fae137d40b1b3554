"""Fast twin of ``hwsim.numerics.requantizers.xnnpack_rndnu``: ``fixed_point`` with ties towards +infinity."""

from __future__ import annotations

from functools import partial

from hwsim.kernels.requantizers import _common_shift, fixed_point
from hwsim.numerics.rounding import Rounding

requantize = partial(fixed_point.rounded, rounding=Rounding.HALF_UP)
rescale_sum = partial(_common_shift.rescale_sum, requantize=requantize)
