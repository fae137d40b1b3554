"""Exact integer products at the speed of the machine: matrices, and convolutions without a matrix of windows.

``route`` holds the ways to multiply, ``weights`` packs for one of them, ``drive`` is the compiled loop around the
instruction (``dot``, ``tile``), between the packing of activations (``gather``) and what becomes of a block of sums
(``finish``). ``product``, ``requantized`` and ``convolution`` call it. Every route returns the same integers.
"""

from hwsim.kernels.gemm.convolution import Window, conv_packed, conv_requantized, pack_kernels, plan_convolution
from hwsim.kernels.gemm.epilogue import Epilogue, make_epilogue
from hwsim.kernels.gemm.launch import COUNTS
from hwsim.kernels.gemm.product import exact_gemm, gemm_packed
from hwsim.kernels.gemm.requantized import CompiledPlan, Plan, Requantized, gemm_requantized, plan_gemm
from hwsim.kernels.gemm.weights import PackedWeights, pack_weights

__all__ = [
    "COUNTS",
    "CompiledPlan",
    "Epilogue",
    "PackedWeights",
    "Plan",
    "Requantized",
    "Window",
    "conv_packed",
    "conv_requantized",
    "exact_gemm",
    "gemm_packed",
    "gemm_requantized",
    "make_epilogue",
    "pack_kernels",
    "pack_weights",
    "plan_convolution",
    "plan_gemm",
]
