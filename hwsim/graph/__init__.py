"""The network as a noun: operators, tensors and the dataflow graph."""

from hwsim.graph.graph import Graph
from hwsim.graph.grids import k_axis, out_axis, passes_grid, runs_on_array, why_real
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS, OpSpec, Work
from hwsim.graph.tensor import Tensor

__all__ = [
    "OPS",
    "Graph",
    "Node",
    "OpSpec",
    "Tensor",
    "Work",
    "k_axis",
    "out_axis",
    "passes_grid",
    "runs_on_array",
    "why_real",
]
