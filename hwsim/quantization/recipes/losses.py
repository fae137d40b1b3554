"""What methods make small, read off a finished state."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.graph import OPS, Tensor, Work
from hwsim.quantization.quantize import with_decoded_weights
from hwsim.quantization.state import State


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


def output_shift(state: State) -> float:
    """Return the mean magnitude by which quantized weights move the expected outputs, over the calibration images."""
    shifts = [difference.mean(axis=0) for difference in _differences(state, "output shift")]
    return float(np.mean([np.abs(shift).mean() for shift in shifts]))


def output_error(state: State) -> float:
    """Return the mean squared error that quantized weights make in the outputs, over the calibration images."""
    return float(np.mean([np.square(difference).mean() for difference in _differences(state, "output error")]))


def reported(name: str) -> Callable[[State], float]:
    """Return a reader of what a step reported under ``name``."""
    return lambda state: state.losses[name]


def _differences(state: State, what: str) -> Iterator[np.ndarray]:
    images = dict(state.images(what))
    float_outputs, outputs = (run_float(g, images) for g in (state.reference, with_decoded_weights(state.graph)))
    for name, output in zip(state.reference.outputs, outputs.values(), strict=True):
        yield output.astype(np.float64) - float_outputs[name]


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
