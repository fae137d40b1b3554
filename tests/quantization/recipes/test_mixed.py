"""Recipes of several widths: of results where the sensitivity allows, and a search from the exact solution on."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import quantize
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.probe import probe_network
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import Scheme

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])
IMAGES = {"image": np.random.default_rng(1).random((8, 3, 6, 6), dtype=np.float32)}


def run(name, default, **options):
    return run_recipe(name, probe_network(), Scheme(plan=PrecisionPlan(default=default)), MACHINE, IMAGES, options=options)  # fmt: skip


def energy(graph):
    return hwsim.simulate(graph, MACHINE).summary["energy_pj"]


def widths(state, key):
    return {rule.match: getattr(rule, key).bits for rule in state.scheme.plan.layer if getattr(rule, key) is not None}


@pytest.mark.parametrize(
    ("name", "stated", "uniform"),
    [
        ("mixquant", {}, ("int4", "uint8")),
        ("mixquant", {"activations": "uint4"}, ("int4", "uint4")),
        ("kl_mixed", {"weights": "int3", "activations": "uint6"}, ("int3", "uint6")),
    ],
)
def test_results_have_widths_within_the_price_of_a_uniform_network(name, stated, uniform):
    state = run(name, stated, activations=True)
    plan = PrecisionPlan(default=dict(zip(("weights", "activations"), uniform, strict=True)))
    graph = quantize(prepare(probe_network()), Scheme(plan=plan), IMAGES)
    assert energy(state.graph) <= energy(graph) * (1 + 1e-9)
    assert widths(state, "weights")
    assert widths(state, "activations")
    for layer, bits in widths(state, "activations").items():
        assert state.graph.tensors[state.graph.node_of[layer].outputs[0]].quant.format.bits == bits
    recipe = recipe_of(name)
    assert recipe.loss(state) <= recipe.baseline(state)


@pytest.mark.parametrize("name", ["kl_mixed", "mixquant"])
def test_without_the_option_results_keep_their_width(name):
    assert not widths(run(name, {"activations": "uint6"}), "activations")


def test_real_results_have_no_other_width():
    with pytest.raises(HwsimError, match="the plan states fp16, which has no other width"):
        run("kl_mixed", {"activations": "fp16"}, activations=True)


def test_hessians_measure_weights_alone():
    with pytest.raises(HwsimError, match="option 'activations' is unknown"):
        run("hessian_mixed", {}, activations=True)


@pytest.mark.parametrize("name", ["kl_mixed", "mixquant"])
def test_a_search_is_never_worse_than_its_start(name):
    pytest.importorskip("optuna", reason='searches: pip install "hwsim[search]"')
    exact, found = run(name, {}), run(name, {}, search=8)
    recipe = recipe_of(name)
    assert recipe.loss(found) == found.losses["allocate.found"] <= recipe.baseline(found)
    assert "allocate.found" not in exact.losses
    assert found.losses["allocate.price"] <= exact.losses["allocate.budget"]
    assert dict(run(name, {}, search=8).losses) == dict(found.losses)


def test_the_rule_of_mixquant_has_nothing_to_search():
    for option in ({"search": 3}, {"activations": True}):
        with pytest.raises(HwsimError, match="leave out activations and search, or multiple"):
            run("mixquant", {}, multiple=2.0, **option)


def test_a_search_does_not_learn():
    recipe = recipe_of("kl_mixed")
    assert not recipe.learns(recipe.chosen("kl_mixed", {"search": 3}))
