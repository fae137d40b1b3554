"""A small network on grids, with random images, for the tests beside."""

from __future__ import annotations

import numpy as np

import hwsim
from hwsim.graph import Tensor
from hwsim.hardware.precision import PrecisionPlan
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


def stored(graph):
    """Return the graph as a file would hold it: the real values of a constant are those of its codes."""
    tensors = [t for t in graph.tensors.values() if t.codes is not None]
    return graph.with_changes(tensors=[Tensor.of_codes(t.name, t.codes, t.quant) for t in tensors])
