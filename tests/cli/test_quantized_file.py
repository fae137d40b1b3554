"""A file that comes quantized runs with one command, keeps its grids, and says so where it is asked for others."""

import json

import numpy as np
import pytest

import hwsim


@pytest.fixture
def file(hwsim_cli, tmp_path):
    code, _, err = hwsim_cli("export", "digits_resnet", "--weights", "int4", "--images", 4, "--out", "q.onnx")
    assert code == 0, err
    images = hwsim.dataset("digits_resnet", "test")
    np.savez(tmp_path / "images.npz", **{name: array[:8] for name, array in images.items()})
    return "q.onnx"


def test_it_runs_in_the_integers_of_a_runtime(hwsim_cli, file, tmp_path):
    code, out, err = hwsim_cli("run", file, "--runtime", "onnxruntime", "--inputs", "images.npz", "--out", "r")
    assert code == 0, err
    assert "ranges were set" not in out
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    datapath = manifest["config"]["hardware"]["datapath"]
    assert (datapath["requantizer"]["scheme"], datapath["arithmetic"]) == ("float32", "onnxruntime")
    assert any(tensor["format"] == "int4" for tensor in manifest["tensors"].values())


@pytest.mark.parametrize(
    ("option", "value"),
    [("--weights", "int8"), ("--activations", "uint8"), ("--range", "mse"), ("--granularity", "tensor")],
)
def test_other_grids_are_refused(hwsim_cli, file, option, value):
    code, _, err = hwsim_cli("run", file, option, value)
    assert code
    assert "keeps its own grids" in err


def test_calibration_is_refused(hwsim_cli, file):
    code, _, err = hwsim_cli("run", file, "--inputs", "images.npz", "--calibration", "images.npz")
    assert code
    assert "keeps its grids" in err


def test_an_unknown_runtime_is_named(hwsim_cli):
    code, _, err = hwsim_cli("run", "--runtime", "onnxruntim")
    assert code
    assert "did you mean 'onnxruntime'" in err


def test_its_scales_are_not_said_to_be_powers_of_two(hwsim_cli, file):
    code, out, err = hwsim_cli("run", file, "--requantizer", "power_of_two")
    assert code == 0, err
    assert "powers of two" not in out
