"""Rewrites of a float graph that leave its function unchanged and its quantization better.

Those that change it (``ClipToRelu``, ``AbsorbBias``) say so and report by how much.
"""

from hwsim.quantization.transforms.fold_affine import fold_affine
from hwsim.quantization.transforms.own_constants import own_constants

__all__ = ["fold_affine", "own_constants"]
