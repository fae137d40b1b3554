"""What is refused before a run is exactly what execution refuses."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import ExecutionError, HwsimError
from hwsim.execute.integer import check_executable
from hwsim.execute.integer.arithmetic import operators as executed_operators
from hwsim.numerics.requantizer import SHIFT_ONLY
from hwsim.numerics.requantizers import names
from hwsim.numerics.vector import names as arithmetics
from hwsim.numerics.vector import operators
from tests.execute.integer.networks import grid, network, on_grid
from tests.integers import every_tensor, layers_of

CONV = {"kernel": (3, 2), "strides": (1, 1), "pads": (1, 0, 0, 1), "dilations": (1, 1), "groups": 1}
POOL = {"kernel": (2, 2), "strides": (1, 1), "pads": (0, 0, 1, 0), "ceil_mode": False, "dilations": (1, 1)}
IMAGE, MATRIX = (2, 4, 4, 4), (2, 16)
CASES = {
    "Conv": (CONV, [IMAGE], (5, 4, 3, 2)),
    "Gemm": ({}, [MATRIX], (16, 5)),
    "MatMul": ({}, [(2, 3, 4), (2, 4, 3)], None),
    "Add": ({}, [IMAGE, IMAGE], None),
    "Sub": ({}, [IMAGE, IMAGE], None),
    "Sum": ({}, [IMAGE, IMAGE, IMAGE], None),
    "Mul": ({}, [IMAGE, IMAGE], None),
    "Concat": ({"axis": 1}, [IMAGE, IMAGE], None),
    "AveragePool": ({**POOL, "count_include_pad": 0}, [IMAGE], None),
    "GlobalAveragePool": ({}, [IMAGE], None),
    "ReduceMean": ({"axes": (1, 3), "keepdims": True}, [IMAGE], None),
}


def power_of_two(params):
    return replace(params, scale=tuple(2.0 ** np.rint(np.log2(params.scale))))


def one_layer(rng, op, kind):
    """A random layer: scales of any value, of powers of two, or far apart."""
    attributes, shapes, weight = CASES[op]
    span = 2.0 ** rng.uniform(-30, 30) if kind == "far" else 0.05
    grids = [grid(rng, "int8", scale=span if index else 0.05) for index in range(len(shapes))]
    output = grid(rng, "int8", scale=2.0 ** rng.uniform(-12, 12) if kind == "far" else 0.4)
    constant = None
    if weight is not None:
        constant = grid(rng, "int8", channels=5, axis=0 if op == "Conv" else 1, symmetric=True, scale=span)
    if kind == "powers":
        grids, output = [power_of_two(each) for each in grids], power_of_two(output)
        constant = constant and power_of_two(constant)
    operands = [(shape, each, None) for shape, each in zip(shapes, grids, strict=True)]
    if constant is not None:
        operands.append((weight, constant, on_grid(rng, weight, constant)[0]))
    return network(op, attributes, operands, output)


def refusal(function, *arguments):
    try:
        function(*arguments)
    except HwsimError as error:
        return error
    return None


@pytest.mark.parametrize("scheme", names())
def test_the_check_and_execution_agree(scheme):
    rng = np.random.default_rng(names().index(scheme))
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.requantizer={scheme}", "datapath.psum=exact"])
    seen = set()
    for op in CASES:
        for kind in ("any", "powers", "far"):
            for _ in range(3):
                graph = one_layer(rng, op, kind)
                feeds = {
                    name: on_grid(rng, graph.tensors[name].shape, graph.tensors[name].quant)[0] for name in graph.inputs
                }
                expected = refusal(every_tensor, graph, machine, feeds)
                found = refusal(check_executable, graph, machine)
                assert (found is None) == (expected is None), (op, kind, expected, found)
                seen.add(found is None)
                if found is not None:
                    assert isinstance(found, ExecutionError)
                    assert str(found).startswith("one: layer 'node': ")
    assert True in seen
    assert False in seen or scheme not in SHIFT_ONLY


@pytest.mark.parametrize("arithmetic", arithmetics())
def test_the_operators_of_a_runtime_are_stated(arithmetic):
    assert operators(arithmetic) == set(executed_operators(arithmetic))


@pytest.mark.parametrize("scheme", SHIFT_ONLY)
def test_scales_that_are_known_must_be_powers_of_two(scheme):
    """Priced without calibration: weights have their scales, activations not yet."""
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.requantizer={scheme}"])
    network = hwsim.load("digits_resnet")
    assert hwsim.simulate(hwsim.quantize(network, power_of_two=True), machine).summary["cycles"] > 0
    with pytest.raises(
        ExecutionError, match=r"digits_resnet: 9 layers cannot be executed:\n  layer 'stem.conv': power_of_two"
    ):
        hwsim.simulate(hwsim.quantize(network), machine)


def test_many_layers_are_counted():
    network = hwsim.quantize(hwsim.load("resnet50"))
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.requantizer=power_of_two"])
    with pytest.raises(ExecutionError, match=r"54 layers cannot be executed:\n(  layer .*\n){10}  and 44 more$"):
        check_executable(network, machine)


def test_what_a_runtime_computes_itself_is_not_asked_of_the_requantizer():
    rng = np.random.default_rng(0)
    graph = one_layer(rng, "Add", "any")
    native, runtime = (
        hwsim.accelerator("edge_16x16", overrides=["datapath.requantizer=power_of_two", f"datapath.arithmetic={each}"])
        for each in ("native", "onnxruntime")
    )
    with pytest.raises(ExecutionError, match="layer 'node': power_of_two needs scales"):
        check_executable(graph, native)
    check_executable(graph, runtime)
    assert layers_of(graph, runtime)["node"].datapath.arithmetic == "onnxruntime"
