"""Learned post-training quantization: one loop over (parameters, scope, loss), and the methods that are calls of it.

Needs PyTorch (``pip install "hwsim[train]"``), which is imported only when a step runs.
"""

from hwsim.quantization.reconstruct.adaround import AdaRound
from hwsim.quantization.reconstruct.brecq import Brecq
from hwsim.quantization.reconstruct.loop import Fit, reconstruct
from hwsim.quantization.reconstruct.nupes import LearnExponents

__all__ = ["AdaRound", "Brecq", "Fit", "LearnExponents", "reconstruct"]
