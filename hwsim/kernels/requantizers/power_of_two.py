"""Fast twin of ``hwsim.numerics.requantizers.power_of_two``: ``fixed_point`` with the multiplier 1."""

from hwsim.kernels.requantizers.fixed_point import requantize, rescale_sum

__all__ = ["requantize", "rescale_sum"]
