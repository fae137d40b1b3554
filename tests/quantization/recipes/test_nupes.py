"""NUPES with learned exponents: from the searched ones on, never worse, and priced by the grids that it ends with."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.mapping.demands import demands_of
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.probe import probe_network
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import Scheme
from tests.integers import every_tensor, layers_of

RECIPE = recipe_of("nupes")
LEARN = {"learn": "true", "iterations": 40}
MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])
IMAGES = {"image": np.random.default_rng(1).random((16, 3, 6, 6), dtype=np.float32)}
PLAN = PrecisionPlan(default={"weights": "int3"})
WEIGHTS = ("stem.conv", "depthwise.conv", "pointwise.conv", "logits")


def run(options, *rules, **scheme):
    plan = PLAN.model_copy(update={"layer": rules})
    return run_recipe("nupes", probe_network(), Scheme(plan=plan, **scheme), MACHINE, IMAGES, options=options)


def grids_of(state):
    return {name: state.graph.tensors[state.graph.node_of[name].inputs[1]].quant for name in WEIGHTS}


@pytest.fixture(scope="module")
def learned():
    pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')
    return run(LEARN)


def test_it_is_better_than_the_searched_exponents(learned):
    assert 0 < RECIPE.loss(learned) < RECIPE.baseline(learned)
    assert RECIPE.loss(learned) == learned.losses["nupes.loss"]
    searched, found = grids_of(run({})), grids_of(learned)
    assert any(searched[name].format != found[name].format for name in WEIGHTS)
    assert all(str(grid.format).startswith("power3:") for grid in found.values())


def test_it_is_executed_and_priced_by_its_grids(learned):
    graph = learned.graph
    ours = every_tensor(graph, MACHINE, IMAGES)
    slow = every_tensor(graph, MACHINE, IMAGES, layers=layers_of(graph, MACHINE, lambda layer, product: None))
    for tensor, codes in slow.items():
        np.testing.assert_array_equal(ours[tensor], codes, err_msg=tensor)
    plain = run_recipe("per_channel", probe_network(), Scheme(plan=PLAN), MACHINE, IMAGES).graph
    energies = [hwsim.simulate(each, MACHINE).summary["energy_pj"] for each in (plain, graph)]
    assert energies[0] < energies[1], "a table and a multiplier of 8 bits are paid for"
    assert any("table" in sentence for sentence in demands_of(graph).sentences())


def test_it_is_the_same_each_time(learned):
    again = run(LEARN)
    assert dict(again.losses) == dict(learned.losses)
    assert grids_of(again) == grids_of(learned)


def test_stated_grids_and_powers_of_two_are_kept():
    pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')
    rules = (PrecisionRule(match="stem.conv", weights="int8"), PrecisionRule(match="logits", weights="power3:0.6"))
    grids = grids_of(run(LEARN, *rules, power_of_two=True))
    assert str(grids["stem.conv"].format) == "int8"
    assert str(grids["logits"].format) == "power3:0.6@8"
    assert all(np.frexp(scale)[0] == 0.5 for grid in grids.values() for scale in grid.scale)


def test_one_exponent_for_the_net_is_not_learned():
    with pytest.raises(HwsimError, match="exponents are learned per layer; leave out scope=net"):
        run({"learn": True, "scope": "net"})


def test_torch_is_needed_only_where_it_learns():
    assert not RECIPE.needs_torch
    assert not RECIPE.learns(RECIPE.chosen("nupes", None))
    assert RECIPE.learns(RECIPE.chosen("nupes", LEARN))
