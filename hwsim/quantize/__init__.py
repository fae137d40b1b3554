"""From a float network to grids: ranges, transforms and the rules of simulated quantization."""

from hwsim.quantize.quantize import Scheme, prepare, quantize

__all__ = ["Scheme", "prepare", "quantize"]
