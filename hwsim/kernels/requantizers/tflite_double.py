"""Fast twin of ``hwsim.numerics.requantizers.tflite_double``."""

from __future__ import annotations

from functools import partial

from hwsim.kernels.requantizers import _double_rounding

requantize = partial(_double_rounding.requantize, saturates=True)
rescale_sum = partial(_double_rounding.rescale_sum, saturates=True)
