"""Fast twin of ``hwsim.numerics.requantizers.tflite_int16x8``: one rounding for sums, two for the Add."""

from __future__ import annotations

from hwsim.kernels.requantizers.tflite_double import rescale_sum
from hwsim.kernels.requantizers.xnnpack_rndnu import requantize

__all__ = ["requantize", "rescale_sum"]
