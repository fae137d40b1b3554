"""The walk sees what the executor computes: its means against those of whole runs, kept and averaged."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import FLOAT_OPS, run_float
from hwsim.execute.integer import run_integer
from hwsim.hardware import PrecisionPlan
from hwsim.quantization.correct import mean_errors
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import Scheme, quantize, with_decoded_weights
from hwsim.quantization.state import State
from tests.integers import layers_of

GRAPH = prepare(hwsim.load("digits_resnet"))
IMAGES = {name: hwsim.dataset("digits_resnet", "calibration")[name][:40] for name in GRAPH.inputs}


@pytest.mark.parametrize("accumulator", ["exact", "int12:saturate"])
@pytest.mark.parametrize("activations", [True, False])
def test_means_are_those_of_whole_runs(activations, accumulator):
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.accumulator={accumulator}"])
    scheme = Scheme(plan=PrecisionPlan(default={"weights": "int3"}))
    graph = quantize(GRAPH, scheme, IMAGES)
    state = State(reference=GRAPH, graph=graph, calibration=IMAGES, scheme=scheme, machine=machine)
    real, simulated = {}, {}
    run_float(GRAPH, IMAGES, observe=real.__setitem__)
    if activations:
        codes = {}
        run_integer(graph, layers_of(graph, machine), IMAGES, observe=codes.__setitem__)
        simulated = {name: graph.tensors[name].quant.decode(values) for name, values in codes.items()}
    else:
        run_float(with_decoded_weights(graph), IMAGES, observe=simulated.__setitem__)
    for name, found in mean_errors(state, activations=activations).items():
        node = graph.node_of[name]
        weights = [graph.tensors[each] for each in node.inputs[1:]]
        decoded = [each.quant.decode(each.encoded()) for each in weights]
        sums = [
            FLOAT_OPS[node.op](node, [values[node.inputs[0]], *constants])[0].astype(np.float64)
            for values, constants in ((simulated, decoded), (real, [each.data for each in weights]))
        ]
        others = (0, 2, 3) if node.op == "Conv" else (0,)
        np.testing.assert_allclose(found, sums[0].mean(axis=others) - sums[1].mean(axis=others), atol=1e-5)
