"""Fast twin of ``hwsim.numerics.requantizers.tflite``, which is ``tflite_double`` until it is resolved."""

from hwsim.kernels.requantizers.tflite_double import requantize, rescale_sum

__all__ = ["requantize", "rescale_sum"]
