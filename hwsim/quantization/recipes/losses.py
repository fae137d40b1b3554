"""What methods make small, read off a finished state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from hwsim.graph import OPS, Graph, Tensor, Work
from hwsim.quantization.correct import mean_errors
from hwsim.quantization.state import State
from hwsim.quantization.transforms.clip_to_relu import clip_to_relu
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.pairs import chains, scalable_regions
from hwsim.quantization.transforms.smooth import difficulty_gap

TINY = 1e-30


def weight_error(state: State) -> float:
    """Return the squared error of all weights over their energy."""
    errors = [np.square(_decoded(weight) - _real(weight)).sum() for weight in _weights(state)]
    return float(sum(errors) / sum(np.square(_real(weight)).sum() for weight in _weights(state)))


def clipping(state: State) -> float:
    """Return the largest error of a weight beyond half a step, in steps: above 0 where a range cuts values off."""
    worst = 0.0
    for weight in _weights(state):
        assert weight.quant is not None
        steps = weight.quant.granularity.spread(weight.quant.scales(), weight.shape)
        worst = max(worst, float((np.abs(_decoded(weight) - _real(weight)) / steps).max()) - 0.5)
    return max(worst - 1e-3, 0.0)  # the scale is rounded to float32


def activation_steps(state: State) -> float:
    """Return the mean step of the activation grids on a logarithmic scale."""
    grids = [t.quant for t in state.graph.tensors.values() if t.quant is not None and not t.is_constant]
    return float(np.mean([np.log2(grid.scales().astype(np.float64)).mean() for grid in grids]))


def channel_imbalance(state: State) -> float:
    """Return how far the weight ranges of a channel are apart on both sides of an edge: the mean square of their log ratio.

    Of all edges that equalization could scale; it ends with equal ranges (Nagel et al. 2019, section 4.1), which is 0.
    """
    graph = clip_to_relu(_float(state))
    draft = Draft(graph)
    found = [np.log2(np.maximum(chain.ranges(draft), TINY)) for chain in chains(graph, scalable_regions(graph))]
    return float(np.mean([np.square(np.diff(ranges, axis=0)).mean() for ranges in found]))


def smoothing_gap(state: State) -> float:
    """Return how far the ranges of a channel's activations and of its weights are apart, which smoothing by alpha 1/2 all but closes."""
    return difficulty_gap(_float(state), state.images("smoothing"))


def mean_error(state: State) -> float:
    """Return the mean magnitude of what quantization adds to the expected results of layers, over the calibration images."""
    return float(np.mean([np.abs(errors).mean() for errors in mean_errors(state).values()]))


def reported(name: str) -> Callable[[State], float]:
    """Return a reader of what a step reported under ``name``."""
    return lambda state: state.losses[name]


def _float(state: State) -> Graph:
    """Return the float network as transformed."""
    plain = [replace(tensor, quant=None, codes=None) for tensor in state.graph.tensors.values()]
    return state.graph.with_changes(tensors=plain)


def _weights(state: State) -> Iterator[Tensor]:
    for node in state.graph.nodes:
        if OPS[node.op].work is Work.GEMM:
            weight = state.graph.tensors[node.inputs[1]]
            if weight.is_constant and weight.quant is not None:
                yield weight


def _real(weight: Tensor) -> np.ndarray:
    return np.asarray(weight.data, dtype=np.float64)


def _decoded(weight: Tensor) -> np.ndarray:
    assert weight.quant is not None
    return weight.quant.decode(weight.encoded()).astype(np.float64)
