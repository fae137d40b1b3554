"""Make a network harder to quantize without changing its function: the induced imbalance that studies of equalization use."""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.quantization.transforms.absorb import apply
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.pairs import scalable_regions
from hwsim.quantization.transforms.rules import Reach


def induce_imbalance(graph: Graph, seed: int, exponent: float = 2.0, *, ties: bool = False) -> Graph:
    """Return the graph with every channel of every scalable edge in another unit, by a factor ``2 ** uniform(-exponent, exponent)``.

    The float function stays the same up to the rounding of the weights. Touched are the edges that ``equalize`` could scale:
    from weights to weights with nothing but ReLU, pooling, moves and depthwise convolutions between them. Not touched are
    edges with ReLU6 or another clip, residual sums and what they read (unless ``ties``), the network's inputs and results. Of
    a ReLU6 network that may be no edge at all, unless ``clip_to_relu`` makes another network of it first, which has to be
    said beside any result.

    Args:
        graph: without grids, prepared.
        seed: of the factors.
        exponent: of the largest factor, in powers of two.
        ties: also through residual sums, whose branches take the same factors.

    Raises:
        HwsimError: no edge can be scaled.
    """
    draft = Draft(graph)
    regions = scalable_regions(draft.graph, Reach(ties=ties))
    if not regions:
        raise HwsimError(
            f"{graph.name}: no edge between two weights can be scaled without changing the function; "
            "clip_to_relu opens ReLU6"
        )
    generator = np.random.default_rng(seed)
    for region in regions:
        tensor, place = next(iter(region.tensors.items()))
        channels = draft.graph.tensors[tensor].shape[place.axis] // place.inner
        factors = 2.0 ** generator.uniform(-exponent, exponent, channels)
        apply(draft, region, EdgeTransform.of(channels, scale=factors))
    note = f"induced imbalance: channels of {len(regions)} edges are scaled by up to 2^{exponent:g} (seed {seed})"
    return draft.finish().with_changes(notes=[note])
