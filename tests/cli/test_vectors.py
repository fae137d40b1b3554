"""``hwsim vectors``: what a user types, and what he finds in the folder."""

import json

import numpy as np
import onnx
import pytest

from hwsim.interchange.vectors.hex_file import read_hex
from hwsim.zoo import load_model


def index_of(folder):
    return json.loads((folder / "index.json").read_text("utf-8"))


def test_a_bundled_network(hwsim_cli, tmp_path):
    options = ["--weights", "int4", "--images", "2", "--layers", "block2.*", "--accumulator", "int16:saturate"]
    code, out, _ = hwsim_cli("vectors", "digits_mobilenet", *options)
    assert code == 0
    assert "vectors/index.json" in out.replace("\\", "/")
    index = index_of(tmp_path / "vectors")
    layers = index["layers"]
    assert layers
    assert all(entry["layer"].startswith("block2.") for entry in layers)
    assert all(f"  {entry['layer']}\n" in out for entry in layers)
    assert index["images"] == 2
    assert index["accelerator"]["name"] == "edge_16x16"
    array = [entry for entry in layers if entry["unit"] == "array"]
    assert {entry["datapath"]["accumulator"] for entry in array} == {"int16:saturate"}
    for entry in layers:
        for file in entry["files"]:
            assert (tmp_path / "vectors" / file["path"]).stat().st_size == file["size_bytes"]
    for entry in array:
        assert entry["vectors"]["array_weight"]["bits"] == 4
        assert entry["vectors"]["array_accumulator"]["bits"] == 16
        accumulators = read_hex(tmp_path / "vectors" / entry["folder"] / "accumulator.hex").values
        assert accumulators.min() >= -(1 << 15)
        assert accumulators.max() < 1 << 15
    for name in ("README.md", "testbench.sv"):
        assert (tmp_path / "vectors" / name).read_text("utf-8")


def test_the_vector_unit_and_the_chain_of_layers(hwsim_cli, tmp_path):
    """What one layer gives is what the next one takes, by tensor name."""
    code, _, _ = hwsim_cli("vectors", "--format", "npz", "--out", "v")
    assert code == 0
    index = index_of(tmp_path / "v")
    assert not list((tmp_path / "v").rglob("*.hex"))
    results, compared = {}, 0
    for entry in index["layers"]:
        with np.load(tmp_path / "v" / entry["folder"] / "vectors.npz") as archive:
            for role, tensor in entry["tensors"].items():
                if role.startswith("output"):
                    results[tensor["tensor"]] = archive[role]
                elif tensor["tensor"] in results:
                    np.testing.assert_array_equal(archive[role], results[tensor["tensor"]])
                    compared += 1
    assert compared >= len(index["layers"]) - 1
    assert {entry["unit"] for entry in index["layers"]} == {"array", "vector"}


def test_a_limit_bounds_every_file(hwsim_cli, tmp_path):
    code, _, _ = hwsim_cli("vectors", "--limit", "500", "--format", "npz")
    assert code == 0
    for entry in index_of(tmp_path / "vectors")["layers"]:
        for name, about in entry["vectors"].items():
            one_output = entry.get("written", {}).get("of", {}).get("n", [0])[0] == 1
            assert np.prod(about["shape"]) <= 500 or one_output, (entry["layer"], name)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--layers", "blok1.conv1"], "did you mean 'block1.conv1'?"),
        (["--format", "hexa"], "did you mean 'hex'?"),
        (["--images", "3", "--batch", "2"], "batches of 2; give a multiple of that many images, not 3"),
    ],
)
def test_what_cannot_be_written_says_why(hwsim_cli, tmp_path, options, text):
    code, _, err = hwsim_cli("vectors", *options)
    assert code == 2
    assert err.startswith("hwsim: ")
    assert text in err
    assert not (tmp_path / "vectors").exists()


def test_a_file_needs_images(hwsim_cli, tmp_path):
    onnx.save(load_model("digits_resnet"), tmp_path / "net.onnx")
    code, _, err = hwsim_cli("vectors", "net.onnx")
    assert code == 2
    assert "golden vectors need images; give --inputs images.npz" in err
    assert not (tmp_path / "vectors").exists()
