"""Steps that put weights on tables: what they write into the plan, and what SetGrids makes of it."""

import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.prepare import prepare
from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import State
from hwsim.quantization.tables.steps import FitCodebook, FitExponent

GRAPH = prepare(hwsim.load("digits_resnet"))


def state(plan=None, **stated):
    plan = plan or PrecisionPlan(default={"range": "mse", **stated})
    machine = hwsim.accelerator("edge_16x16")
    return State(reference=GRAPH, graph=GRAPH, calibration=None, scheme=Scheme(plan=plan), machine=machine)


def formats(graph):
    weights = {node.inputs[1] for node in graph.nodes if node.op in ("Conv", "Gemm")}
    return {str(graph.tensors[name].quant.format) for name in weights}


def test_one_exponent_for_the_network_or_one_per_layer():
    net, layer = (FitExponent(scope=scope)(state()) for scope in ("net", "layer"))
    (shared,) = formats(SetGrids()(net).graph)
    assert shared == str(net.scheme.plan.default.weights)
    assert f"weights are on {shared}" in net.notes[0]
    assert str(layer.scheme.plan.default.weights) == "power4@8"
    assert len(formats(SetGrids()(layer).graph)) > 2


def test_each_is_better_than_what_it_generalises():
    """By the squared error of the weights: uniform, one exponent, one exponent per layer; uniform, codebook."""
    uniform = SetGrids()(state(weights="int4n"))
    net, layer, book = (
        SetGrids()(step(state())) for step in (FitExponent(scope="net"), FitExponent(scope="layer"), FitCodebook())
    )
    errors = [weight_error(each) for each in (uniform, net, layer)]
    assert errors == sorted(errors, reverse=True)
    assert weight_error(book) < errors[0]


def test_rules_that_state_weights_keep_theirs():
    rule = {"match": "head.fc", "weights": "int8"}
    fitted = FitCodebook(bits=3)(state(PrecisionPlan(default={"range": "mse"}, layer=(rule,))))
    graph = SetGrids()(fitted).graph
    assert str(graph.tensors[graph.node_of["head.fc"].inputs[1]].quant.format) == "int8"
    assert formats(graph) == {"int8", "codebook3@8"}


@pytest.mark.parametrize("step", [FitExponent(), FitCodebook(), FitExponent(scope="net")])
def test_they_go_before_the_grids(step):
    with pytest.raises(HwsimError, match="this step goes before SetGrids"):
        step(SetGrids()(state()))


def test_bits_are_those_of_the_plan_where_none_are_stated():
    assert str(FitCodebook()(state(weights="int3")).scheme.plan.default.weights) == "codebook3@8"
    assert str(FitExponent()(state()).scheme.plan.default.weights) == "power4@8"
    assert str(FitExponent(bits=2)(state(weights="int3")).scheme.plan.default.weights) == "power2@8"


def test_keys_hold_where_the_user_states_nothing():
    keys = {"range": "minmax", "weight_granularity": "tensor"}
    default = FitExponent(keys=keys)(state()).scheme.plan.default
    assert (default.range, default.weight_granularity) == ("mse", "tensor")
