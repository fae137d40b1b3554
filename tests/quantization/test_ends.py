"""First and last layers are found from the graph, and their width is a rule of the plan like any other."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.quantization.ends import SetEnds, ends_of
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import quantize
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.probe import probe_network
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State

MACHINE = hwsim.accelerator("edge_16x16")
ENDS = ("stem.conv", "logits")


def state_of(weights, *rules):
    graph = prepare(probe_network())
    plan = PrecisionPlan(default={} if weights is None else {"weights": weights}, layer=rules)
    return State(reference=graph, graph=graph, calibration=None, scheme=Scheme(plan=plan), machine=MACHINE)


def widths(state):
    graph = quantize(state.graph, state.scheme, None)
    names = [*ENDS, "depthwise.conv", "pointwise.conv"]
    return [str(graph.tensors[graph.node_of[name].inputs[1]].quant.format) for name in names]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("int4", ["int8", "int8", "int4", "int4"]),
        ("int3n", ["int8n", "int8n", "int3n", "int3n"]),
        (None, ["int8"] * 4),
        ("pot4", ["int8", "int8", "pot4", "pot4"]),
    ],
)
def test_both_ends_get_the_width(weights, expected):
    assert widths(SetEnds(bits=8)(state_of(weights))) == expected


def test_rules_of_the_user_win():
    done = SetEnds(bits=8)(state_of("int4", PrecisionRule(match="log*", weights="int5")))
    assert widths(done) == ["int8", "int5", "int4", "int4"]
    assert done.notes == ("ends: the plan's rules state the weights of logits, which keep their widths",)


def test_a_width_that_is_none_is_refused():
    with pytest.raises(HwsimError, match="weights have 1 to 32 bits, not 33"):
        SetEnds(bits=33)


def product(name, source):
    return Node(name=name, op="MatMul", inputs=(source, f"{name}.w"), outputs=(name,))


def test_branches_have_ends_of_their_own():
    """a and b read inputs; d reads both and c; e reads d: the network returns c's sum and e."""
    nodes = (product("a", "x"), product("b", "y"), Node(name="s", op="Add", inputs=("a", "b"), outputs=("s",)))
    nodes += (product("c", "s"), product("d", "s"), product("e", "d"))
    weights = [Tensor(name=f"{name}.w", shape=(4, 4), data=np.eye(4, dtype=np.float32)) for name in "abcde"]
    tensors = {t.name: t for t in (*weights, *(Tensor(name=name, shape=(1, 4)) for name in "xyabscde"))}
    graph = Graph(name="net", nodes=nodes, tensors=tensors, inputs=("x", "y"), outputs=("c", "e"))
    assert set(ends_of(graph)) == {"a", "b", "c", "e"}


def test_brecq_takes_them_and_the_price_follows():
    pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')
    images = {"image": np.random.default_rng(1).random((8, 3, 6, 6), dtype=np.float32)}
    scheme = Scheme(plan=PrecisionPlan(default={"weights": "int4"}))
    few = {"iterations": 5, "scale_iterations": 0}
    plain, wide = (
        run_recipe("brecq", probe_network(), scheme, MACHINE, images, options={**few, **ends}).graph
        for ends in ({}, {"ends": 8})
    )
    for graph, bits in ((plain, 4), (wide, 8)):
        assert {graph.tensors[graph.node_of[name].inputs[1]].quant.format.bits for name in ENDS} == {bits}
    assert plain.tensors[plain.node_of["pointwise.conv"].inputs[1]].quant.format.bits == 4
    energies = [hwsim.simulate(graph, MACHINE).summary["energy_pj"] for graph in (plain, wide)]
    assert energies[0] < energies[1]
    by_rule = PrecisionPlan(
        default={"weights": "int4", "range": "mse"},
        layer=tuple(PrecisionRule(match=name, weights="int8") for name in ENDS),
    )
    stated = quantize(prepare(probe_network()), Scheme(plan=by_rule), images)
    assert hwsim.simulate(stated, MACHINE).summary["energy_pj"] == energies[1]


def test_the_default_leaves_the_plan():
    recipe = recipe_of("brecq")
    assert not any(isinstance(step, SetEnds) for step in recipe.steps(recipe.chosen("brecq", None)))
