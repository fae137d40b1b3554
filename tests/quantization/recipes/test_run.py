"""Recipes as a user calls them."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.probe import probe_network, probed
from hwsim.quantization.recipes.record import Option
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import Scheme


@pytest.fixture(scope="module")
def machine():
    return hwsim.accelerator("edge_16x16")


@pytest.fixture(scope="module")
def images():
    return {"image": np.random.default_rng(3).random((6, 3, 6, 6), dtype=np.float32), "labels": np.zeros(6, np.int64)}


def test_what_the_user_states_wins_over_the_recipe(machine, images):
    stated = Scheme(plan=PrecisionPlan(default={"weight_granularity": "channel", "weights": "int5"}))
    state = run_recipe("mse", probe_network(), stated, machine, images)
    default = state.scheme.plan.default
    assert (default.weight_granularity, str(default.weights), default.range) == ("channel", "int5", "mse")


def test_the_verb_takes_a_recipe(machine, images):
    graph = hwsim.quantize(probe_network(), recipe="mse", weights="int4", calibration=images, accelerator=machine)
    state = run_recipe("mse", probe_network(), Scheme(plan=PrecisionPlan(default={"weights": "int4"})), machine, images)
    assert {t.name: t.quant for t in graph.tensors.values()} == {t.name: t.quant for t in state.graph.tensors.values()}


def test_options_without_a_recipe_are_refused(images):
    with pytest.raises(HwsimError, match="belong to a recipe"):
        hwsim.quantize(probe_network(), options={"iterations": 3}, calibration=images)


def test_a_recipe_that_needs_images_says_so(machine):
    with pytest.raises(HwsimError, match="needs calibration images"):
        run_recipe("mse", probe_network(), Scheme(), machine, None)


def test_a_network_that_came_quantized_is_refused(machine, images):
    graph = hwsim.quantize(probe_network(), calibration=images)
    with pytest.raises(HwsimError, match="came quantized"):
        run_recipe("mse", graph, Scheme(), machine, images)


@pytest.mark.parametrize(("name", "said"), [("mes", "did you mean 'mse'"), ("zzz", "show recipes")])
def test_unknown_recipes(name, said):
    with pytest.raises(HwsimError, match=said):
        recipe_of(name)


def test_unknown_options_are_named(machine, images):
    with pytest.raises(HwsimError, match="option 'iteration' is unknown; it has none"):
        run_recipe("mse", probe_network(), Scheme(), machine, images, options={"iteration": 3})


@pytest.mark.parametrize(
    ("default", "text", "value"), [(3, "12", 12), (0.5, "2", 2.0), ("a", "b", "b"), (True, "False", False)]
)
def test_options_read_texts_as_their_type(default, text, value):
    found = Option(name="o", default=default, help="h").read("r", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("default", "text"), [(3, "1.5"), (0.5, "x"), (True, "yes")])
def test_options_of_another_type_are_refused(default, text):
    with pytest.raises(HwsimError, match="option o takes"):
        Option(name="o", default=default, help="h").read("r", text)


def test_demands_follow_from_grids():
    assert "a multiplier per output channel" in probed("per_channel")
    assert "a multiplier per output channel" not in probed("mse")
    assert "requantizes by shifts alone" in probed("power_of_two")
