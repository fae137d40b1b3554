"""Verbs with the same options compute the same network: how many images run has no say in its grids."""

import numpy as np
import pytest

from hwsim.cli.prepare import prepare
from hwsim.cli.resolve import resolve_plan


def grids(network, **changes):
    options = {
        "hardware": "edge_16x16", "overrides": None, "inputs": None, "calibration": None, "images": None, "batch": 1,
        "dimensions": None, "seed": 0,
    }  # fmt: skip
    ready = prepare(network, resolve_plan(None), **{**options, **changes})
    return {name: tensor.quant for name, tensor in ready.graph.tensors.items()}, ready.graph.notes


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
