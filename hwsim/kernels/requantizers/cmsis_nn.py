"""Fast twin of ``hwsim.numerics.requantizers.cmsis_nn``."""

from __future__ import annotations

from functools import partial

from hwsim.kernels.requantizers import _double_rounding

requantize = partial(_double_rounding.requantize, saturates=False)
rescale_sum = partial(_double_rounding.rescale_sum, saturates=False)
