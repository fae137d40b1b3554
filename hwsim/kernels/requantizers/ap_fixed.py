"""Fast twin of ``hwsim.numerics.requantizers.ap_fixed``: ``power_of_two``, with every overflow."""

from hwsim.kernels.requantizers.fixed_point import requantize, rescale_sum

__all__ = ["requantize", "rescale_sum"]
