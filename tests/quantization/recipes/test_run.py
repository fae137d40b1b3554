"""Recipes as a user calls them."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
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


@pytest.mark.parametrize("recipe", [None, "mse"])
def test_calibration_of_other_inputs_names_the_keys_that_are_there(images, recipe):
    with pytest.raises(HwsimError, match=r"picture, labels.* image"):
        hwsim.quantize(
            probe_network(), recipe=recipe, calibration={"picture": images["image"], "labels": images["labels"]}
        )


def test_clips_stay_where_the_user_wants_them():
    """Of the recipes that equalize, which open ReLU6 otherwise."""

    def clips(recipe, options):
        graph = hwsim.quantize(network, recipe=recipe, calibration=images, options=options)
        return sum(node.clamp == (0.0, 6.0) for node in graph.nodes if node.op == "Conv")

    network = hwsim.load("digits_mobilenet")
    images = {name: array[:4] for name, array in hwsim.dataset("digits_mobilenet", "calibration").items()}
    for recipe in ("cle", "data_free"):
        assert clips(recipe, {"clip_to_relu": "false"}) == clips("mse", None) > clips(recipe, None)


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
    ("default", "text", "value"),
    [(3, "12", 12), (3, 12.0, 12), (0.5, "2", 2.0), ("a", "b", "b"), (True, "False", False)],
)
def test_options_read_texts_as_their_type(default, text, value):
    found = Option(name="o", default=default, help="h").read("r", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("default", "text"),
    [
        (3, "1.5"),
        (3, float("inf")),
        (3, 2.5),
        (3, True),
        (3, None),
        (0.5, "x"),
        (0.5, "nan"),
        (0.5, True),
        (True, "yes"),
    ],
)
def test_options_of_another_type_are_refused(default, text):
    with pytest.raises(HwsimError, match="option o takes"):
        Option(name="o", default=default, help="h").read("r", text)


def test_demands_follow_from_grids():
    assert "a multiplier per output channel" in probed("per_channel")
    assert "a multiplier per output channel" not in probed("mse")
    assert "requantizes by shifts alone" in probed("power_of_two")


def test_a_stated_range_wins_over_the_threshold(machine, images):
    """For the whole network, and for one layer of it."""

    def scales(graph):
        layers = [graph.node_of[name] for name in ("stem.conv", "pointwise.conv")]
        return [graph.tensors[node.inputs[1]].quant.scale for node in layers]

    def weights(default, *rules):
        plan = PrecisionPlan(default=default, layer=rules)
        state = run_recipe("ternary", probe_network(), Scheme(plan=plan), machine, images)
        return scales(state.graph), " ".join(state.notes)

    def nearest(estimator):
        plan = PrecisionPlan(default={"weights": "ternary", "range": estimator, "activation_range": "mse"})
        graph = run_recipe("per_channel", probe_network(), Scheme(plan=plan), machine, images).graph
        return scales(graph)

    free, notes = weights({})
    assert notes == ""
    for estimator in ("mse", "minmax"):
        stated, notes = weights({"range": estimator})
        assert stated == nearest(estimator) != free
        assert "take the scales of the range that is stated" in notes
    mixed, _ = weights({}, PrecisionRule(match="stem.conv", range="mse"))
    assert mixed == [nearest("mse")[0], free[1]]


def test_an_option_beside_the_key_that_it_decides_is_refused(machine, images):
    def groups(granularity, options):
        scheme = Scheme(plan=PrecisionPlan(default={"weight_granularity": granularity} if granularity else {}))
        state = run_recipe("zeroquant_groups", probe_network(), scheme, machine, images, options=options)
        return state.scheme.plan.default.weight_granularity

    assert groups(None, {"group": 8}) == "group:8"
    assert groups("group:4", None) == "group:4"
    with pytest.raises(
        HwsimError, match="option group decides weight_granularity, which is stated as channel; leave one"
    ):
        groups("channel", {"group": 8})


def test_data_free_says_which_inputs_it_assumes(machine):
    def notes(**options):
        return " ".join(run_recipe("data_free", probe_network(), Scheme(), machine, None, options=options).notes)

    assert "inputs are taken to lie in 0..1" in notes()
    assert "inputs are taken to lie in -1..1" in notes(input_low="-1")
    assert "inputs are taken" not in notes(input_low=-1, input_high=1)


@pytest.mark.parametrize("rules", [(), (PrecisionRule(match="stem.conv", activation_range="mse"),)])
def test_data_free_refuses_ranges_that_need_images(machine, rules):
    plan = PrecisionPlan(default={} if rules else {"activation_range": "mse"}, layer=rules)
    with pytest.raises(HwsimError, match=r"activation_range mse of .* needs images"):
        run_recipe("data_free", probe_network(), Scheme(plan=plan), machine, None)


def test_the_verb_heeds_a_requantizer_that_only_shifts(images):
    def notes_and_scales(machine, plan=None):
        graph = hwsim.quantize(probe_network(), recipe="mse", calibration=images, accelerator=machine, plan=plan)
        grids = [tensor.quant for tensor in graph.tensors.values() if tensor.quant is not None]
        return " ".join(graph.notes), [scale for grid in grids for scale in grid.scale]

    shifts = hwsim.accelerator("edge_16x16", overrides=["datapath.requantizer=power_of_two"])
    stated = PrecisionPlan(default={"requantizer": "power_of_two"})
    for machine, plan in ((shifts, None), (hwsim.accelerator("edge_16x16"), stated)):
        notes, scales = notes_and_scales(machine, plan)
        assert all(np.frexp(scale)[0] == 0.5 for scale in scales)
        assert "scales are powers of two" in notes
    notes, scales = notes_and_scales(hwsim.accelerator("edge_16x16"))
    assert not all(np.frexp(scale)[0] == 0.5 for scale in scales)
    assert "powers of two" not in notes


def test_real_activations_have_no_scale_to_find(machine, images):
    scheme = Scheme(plan=PrecisionPlan(default={"activations": "fp16"}))
    with pytest.raises(HwsimError, match=r"run-time scales: layer .* reads fp16, which has no scale to find"):
        run_recipe("zeroquant_groups", probe_network(), scheme, machine, images)


@pytest.mark.parametrize(
    ("recipe", "options", "said"),
    [
        ("zeroquant_groups", {"group": 0}, "group must be 1 or more"),
        ("adaround", {"rate": -1}, "rate must be"),
        ("data_free", {"input_low": 2}, "smallest value must be below"),
    ],
)
def test_options_out_of_range_are_refused(machine, images, recipe, options, said):
    with pytest.raises(HwsimError, match=said):
        run_recipe(recipe, probe_network(), Scheme(), machine, images, options=options)


def test_images_under_another_name_are_refused(machine):
    with pytest.raises(HwsimError, match="needs image"):
        run_recipe("mse", probe_network(), Scheme(), machine, {"picture": np.zeros((2, 3, 6, 6), np.float32)})


def test_tables_take_a_width():
    with pytest.raises(HwsimError, match="take a width"):
        hwsim.quantize(
            probe_network(), recipe="nupes", weights="pot4", calibration={"image": np.ones((2, 3, 6, 6), np.float32)}
        )
