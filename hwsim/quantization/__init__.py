"""From a float network to integer grids."""

from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme, scheme_for, shifts_only

__all__ = ["Scheme", "prepare", "quantize", "scheme_for", "shifts_only"]
