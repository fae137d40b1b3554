"""Rewrites that make of an operator and the activation or quantizer behind it what hardware does in one step."""

from hwsim.graph.fusion.adopt import adopt
from hwsim.graph.fusion.bias_grid import bias_format, bias_params, bias_stays_real
from hwsim.graph.fusion.fuse_clamp import fuse_clamp

__all__ = ["adopt", "bias_format", "bias_params", "bias_stays_real", "fuse_clamp"]
