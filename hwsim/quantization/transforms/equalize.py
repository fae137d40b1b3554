"""Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721; Nagel et al. 2021, arXiv 2106.08295).

Two layers with nothing but a positively homogeneous activation between them stay the same function when channel i of the
first is divided by ``s_i`` and what meets it in the second is multiplied by it. With the largest weights ``r1_i`` and
``r2_i`` of the channel, ``s_i = sqrt(r1_i * r2_i) / r2_i`` makes both ranges ``sqrt(r1_i * r2_i)``. Across a depthwise
convolution all three become their cube root, in general the geometric mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.graph import Graph
from hwsim.quantization.state import State
from hwsim.quantization.transforms.absorb import apply
from hwsim.quantization.transforms.clip_to_relu import clip_to_relu, is_clipped, opened_state
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.pairs import Chain, chains, scalable_regions
from hwsim.quantization.transforms.rules import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Equalize:
    """Make the weight ranges of every channel equal on both sides of each edge that allows it.

    Args:
        iterations: rounds over all chains at most; neighbours share weights, so that one round is not enough.
        tolerance: the rounds end when no channel is scaled by more than ``1 + tolerance``.
        clip_to_relu: first replace ReLU6 by ReLU on edges that could be equalized otherwise.
        ties: also through residual sums, all branches by the same scale.
    """

    iterations: int = 200
    tolerance: float = 1e-4
    clip_to_relu: bool = True
    ties: bool = False

    def __call__(self, state: State) -> State:
        """Return the state with the equalized float graph."""
        if self.clip_to_relu:
            state = opened_state(state, without_obstacles(state.graph, ties=self.ties))
        graph, edges = equalize(state.graph, iterations=self.iterations, tolerance=self.tolerance, ties=self.ties)
        note = f"equalized {edges} edges" if edges else "no edge could be equalized"
        return state.with_(graph=graph, note=note)


def equalize(graph: Graph, *, iterations: int = 200, tolerance: float = 1e-4, ties: bool = False) -> tuple[Graph, int]:
    """Return the equalized graph, whose float function is the same up to rounding, and how many edges were scaled.

    Channels that are dead on one side (all weights 0) stay as they are: no scale makes their ranges equal.
    """
    draft = Draft(graph)
    found = chains(draft.graph, scalable_regions(draft.graph, Reach(ties=ties)))
    for _ in range(iterations):
        largest = max((_equalize(draft, chain) for chain in found), default=0.0)
        if largest <= np.log1p(tolerance):
            break
    return draft.finish(), sum(len(chain.regions) for chain in found)


def _equalize(draft: Draft, chain: Chain) -> float:
    """Equalize one chain by its closed form; return the largest ``|log(scale)|``."""
    ranges = chain.ranges(draft)
    alive = (ranges > 0).all(axis=0)
    logs = np.log(np.where(alive, ranges, 1.0))
    scales = np.cumsum(logs - logs.mean(axis=0), axis=0)[:-1]  # what is behind a region takes the excess before it
    for region, scale in zip(chain.regions, scales, strict=True):
        apply(draft, region, EdgeTransform.of(scale.size, scale=np.exp(scale)))
    return float(np.abs(scales).max())


def without_obstacles(graph: Graph, *, ties: bool = False) -> Graph:
    """Return the graph with those clips opened that stand on an edge which could be equalized without them."""
    relaxed = clip_to_relu(graph)
    reach = Reach(ties=ties)
    inside = [tensor for region in scalable_regions(relaxed, reach) for tensor in region.tensors]
    producers = [graph.producer_of[tensor] for tensor in inside]
    return clip_to_relu(graph, {node.name for node in producers if is_clipped(node)})
