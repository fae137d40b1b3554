"""How weights get their codes where the nearest is not taken: closed forms and draws in numpy.

What learns its rounding is in ``hwsim.quantization.reconstruct``.
"""

from hwsim.quantization.rounding.neighbours import neighbours
from hwsim.quantization.rounding.stochastic import StochasticRounding

__all__ = ["StochasticRounding", "neighbours"]
