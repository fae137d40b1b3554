"""Rewrites of a float graph that leave its function unchanged and its quantization better."""

from hwsim.quantization.transforms.absorbed_clamps import absorbed_clamps
from hwsim.quantization.transforms.accumulator_grids import accumulator_grids
from hwsim.quantization.transforms.fold_affine import fold_affine
from hwsim.quantization.transforms.fuse_clamp import fuse_clamp
from hwsim.quantization.transforms.own_constants import own_constants
from hwsim.quantization.transforms.real_biases import split_real_biases

__all__ = ["absorbed_clamps", "accumulator_grids", "fold_affine", "fuse_clamp", "own_constants", "split_real_biases"]
