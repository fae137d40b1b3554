"""From a float network to grids: ranges, transforms and the rules of simulated quantization."""

from hwsim.quantization.quantize import Scheme, prepare, quantize, shifts_only

__all__ = ["Scheme", "prepare", "quantize", "shifts_only"]
