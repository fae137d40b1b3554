"""Verbs with the same options compute the same network: how many images run has no say in its grids."""

import numpy as np
import pytest

import hwsim
from hwsim.cli.groups import Images, Loading, Method, Target
from hwsim.cli.prepare import prepare
from hwsim.cli.resolve import resolve_plan
from hwsim.execute.float32 import run_float


def made(network, **changes):
    """The network that these options make, by the group that each stands in."""
    stated = [
        group(**{key: value for key, value in changes.items() if key in group.__dataclass_fields__})
        for group in (Loading, Method, Images)
    ]
    return prepare(Target(network=network, overrides=changes.get("overrides")), resolve_plan(), *stated)


def grids(network, **changes):
    graph = made(network, **changes).graph
    return {name: tensor.quant for name, tensor in graph.tensors.items()}, graph.notes


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, image=np.random.default_rng(0).normal(size=(6, 1, 8, 8)).astype(np.float32))
    return path


def test_the_images_that_run_do_not_set_the_ranges(images):
    whole, _ = grids("digits_resnet", inputs=images)
    assert grids("digits_resnet", inputs=images, images=1)[0] == whole


def test_drawn_images_do_not_either():
    assert grids("squeezenet", images=1)[0] == grids("squeezenet", images=2)[0]


def test_a_shift_makes_scales_powers_of_two_and_says_so():
    found, notes = grids("digits_resnet", overrides=["datapath.requantizer=power_of_two"])
    scales = [scale for grid in found.values() if grid for scale in grid.scale]
    assert all(np.frexp(scale)[0] == 0.5 for scale in scales)
    assert any("powers of two" in note for note in notes)


def test_notes_say_what_the_images_were_used_for(images):
    def notes(**changes):
        return " ".join(made("digits_resnet", inputs=images, **changes).graph.notes)

    first = "the first 6 images of --inputs"
    assert f"ranges were set on {first}; --calibration" in notes()
    assert f"recipe mse was calibrated on {first}, which are also among those measured" in notes(recipe="mse")
    assert "--inputs" not in notes(recipe="data_free")
    assert "--calibration has no say" in notes(recipe="data_free", calibration=images)


def test_a_recipe_that_learns_says_on_what(images):
    pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')
    for recipe, options in (("adaround", ["iterations=1"]), ("nupes", ["learn=true", "iterations=1"])):
        ready = made("digits_resnet", inputs=images, recipe=recipe, recipe_options=options)
        assert any(note.startswith(f"recipe {recipe} learned on the first 6 images") for note in ready.graph.notes)
    ready = made("digits_resnet", inputs=images, recipe="nupes")
    assert any(note.startswith("recipe nupes was calibrated on the first 6 images") for note in ready.graph.notes)


def test_the_reference_is_the_network_before_the_recipe():
    assert made("digits_mobilenet").reference is None
    ready = made("digits_mobilenet", recipe="cle", images=4)
    image = {"image": ready.data.images["image"]}
    wanted = run_float(hwsim.load("digits_mobilenet"), image)["logits"]
    np.testing.assert_allclose(run_float(ready.reference, image)["logits"], wanted, rtol=1e-4, atol=1e-4)
    assert not ready.reference.is_quantized


@pytest.mark.parametrize("verb", ["run", "quantize"])
def test_verbs_measure_against_the_network_before_the_recipe(verb, hwsim_cli):
    """ReLU6 becomes ReLU: what that costs is in the quality."""
    graph = made("digits_mobilenet", recipe="cle").graph
    few = {name: array[:20] for name, array in hwsim.dataset("digits_mobilenet", "test").items()}
    machine = hwsim.accelerator("edge_16x16")
    references = (hwsim.load("digits_mobilenet"), None)
    wanted, own = (hwsim.simulate(graph, machine, few, reference=one).summary["sqnr_db"] for one in references)
    assert wanted < own - 3
    code, out, err = hwsim_cli(verb, "digits_mobilenet", "--recipe", "cle", "--images", 20)
    assert code == 0, err
    line = next(line for line in out.splitlines() if "output SQNR" in line)
    assert f"{wanted:.1f} dB" in line
