"""Fast twin of ``hwsim.numerics.requantizers.tflite_int16x8``: one rounding for sums; the Add is that of ``tflite_double``."""

from hwsim.kernels.requantizers.xnnpack_rndnu import requantize

__all__ = ["requantize"]
