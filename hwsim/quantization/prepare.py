"""The float network that is calibrated, compared against and quantized."""

from __future__ import annotations

from hwsim.graph import Graph
from hwsim.graph.fusion import adopt, fuse_clamp
from hwsim.quantization.transforms import fold_affine, own_constants


def prepare(graph: Graph) -> Graph:
    """Return the float graph with affines folded, clamps fused and constants unshared; preparing twice changes nothing.

    A graph that came quantized keeps its grids, see ``adopt``.
    """
    if graph.is_quantized:
        return adopt(graph)
    return own_constants(fuse_clamp(fold_affine(graph)))
