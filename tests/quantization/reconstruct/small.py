"""A small network on grids, with random images, for the tests beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import hwsim
from hwsim.graph import Tensor
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.formats import parse_format
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import quantize
from hwsim.quantization.recipes.probe import probe_network
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State


def state_of(
    weights="int3", activations="uint8", granularity="tensor", symmetry="symmetric", images=24, seed=0, **scheme
):
    """Return the state after grids were set."""
    network = prepare(probe_network())
    keys = {
        "weights": weights,
        "activations": activations,
        "weight_granularity": granularity,
        "weight_symmetry": symmetry,
        "range": "mse",
    }
    chosen = Scheme(plan=PrecisionPlan.model_validate({"default": keys}), **scheme)
    rng = np.random.default_rng(5)
    arrays = {"image": rng.random((images, *network.tensors["image"].shape[1:]), dtype=np.float32)}
    return State(
        reference=network,
        graph=quantize(network, chosen, arrays),
        calibration=arrays,
        scheme=chosen,
        machine=hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"]),
        seed=seed,
    )


def on_format(state, text, granularity=PER_TENSOR, *, weight):
    """Return the state with one weight on another format, with scales that cover it."""
    tensor = state.graph.tensors[weight]
    count = int(np.prod(granularity.scale_shape(tensor.shape)))
    number = parse_format(text)
    largest = float(max(abs(end) for end in number.operand_range) * number.unit)
    scale = float(np.float32(np.abs(tensor.data).max() / largest))
    grid = QuantParams(format=number, scale=(scale,) * count, zero_point=(0,) * count, granularity=granularity)
    return state.with_(graph=state.graph.with_changes(tensors=[replace(tensor, quant=grid, codes=None)]))


def groups_of(tensor, axis, size, by=None):
    """Return groups of ``size`` neighbours along an axis of the tensor."""
    return Granularity.of_runs(axis, tensor.shape[axis], size, by)


def stored(graph):
    """Return the graph as a file would hold it: the real values of a constant are those of its codes."""
    tensors = [t for t in graph.tensors.values() if t.codes is not None]
    return graph.with_changes(tensors=[Tensor.of_codes(t.name, t.codes, t.quant) for t in tensors])
