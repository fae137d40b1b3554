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


@pytest.mark.parametrize("verb", ["run", "check", "vectors", "export"])
@pytest.mark.parametrize("requantizer", ["power_of_two:half_even", "vta_shift"])
def test_a_requantizer_that_cannot_compute_its_scales_is_refused_before_any_run(hwsim_cli, file, verb, requantizer):
    """The scales are those of the file, so that nothing makes them powers of two."""
    inputs = ("--inputs", "images.npz") if verb == "vectors" else ()
    code, out, err = hwsim_cli(verb, file, "--requantizer", requantizer, *inputs)
    assert code == 2
    assert "powers of two" not in out
    assert "layer 'stem.conv': power_of_two needs scales that are powers of two, but channel 0 has" in err
    assert "give the layer a requantizer that multiplies, as fixed_point" in err


def test_a_precision_plan_can_mend_single_layers(hwsim_cli, tmp_path):
    (tmp_path / "plan.toml").write_text('[[layer]]\nmatch = "stem.conv"\nrequantizer = "nvdla_cacc"\n')
    code, _, err = hwsim_cli("check", "--precision", "plan.toml", "--requantizer", "float32")
    assert code == 0, err


@pytest.mark.parametrize(
    ("multiplier", "message"),
    [
        ("truncate", "layer 'stem.conv' and 8 more: multiplier: 'truncate' is unknown; did you mean 'truncated'"),
        (
            "nowhere.at:all",
            "layer 'stem.conv' and 8 more: multiplier 'nowhere.at:all': module 'nowhere.at' cannot be imported",
        ),
        ("operator:mull", "module 'operator' has no function 'mull'; did you mean 'mul'"),
        ("small.npy", "activations of uint8 need 256 entries, but the table is 16 x 256"),
        ("operator:truediv", "multiplier 'operator:truediv': returns"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "check", "export"])
def test_a_multiplier_that_cannot_multiply_is_refused_before_any_run(
    hwsim_cli, file, tmp_path, verb, multiplier, message
):
    np.save(tmp_path / "small.npy", np.zeros((16, 256), np.int64))
    code, _, err = hwsim_cli(verb, file, "--set", f"datapath.multiplier={multiplier}")
    assert code == 2
    assert message in err
