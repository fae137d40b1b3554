"""Which operators hand the grid of their input on."""

from __future__ import annotations

from hwsim.graph.node import Node
from hwsim.graph.ops import OPS


def passes_grid(node: Node) -> bool:
    """Whether the result has the grid of the first input: moves and selections of codes.

    An interpolation computes new values, and a pad value other than 0 may lie outside of the input's range.
    """
    if node.op == "Resize":
        return bool(node.attributes["mode"] == "nearest")
    if node.op == "Pad":
        return node.attributes["mode"] != "constant" or node.attributes["value"] == 0
    return OPS[node.op].same_grid
