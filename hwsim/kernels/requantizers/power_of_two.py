"""Fast twin of ``hwsim.numerics.requantizers.power_of_two``: ``fixed_point`` with the multiplier 1."""

from hwsim.kernels.requantizers.fixed_point import requantize

__all__ = ["requantize"]
