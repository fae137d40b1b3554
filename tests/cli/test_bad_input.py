"""Bad input gives one paragraph on stderr and exit code 2, never a traceback, and leaves no report behind."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwsim.zoo import load_model


def expect(result, *texts):
    code, _, err = result
    assert code == 2, err
    assert err.startswith("hwsim: ")
    assert "Traceback" not in err
    assert "\n\n" not in err
    for text in texts:
        assert text in err


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, image=np.zeros((3, 1, 8, 8), np.float32) + 0.5, labels=np.zeros(3, np.int64))
    return path


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(load_model("digits_resnet"), path)
    return path


def test_missing_network(hwsim_cli, tmp_path):
    expect(hwsim_cli("run", "absent.onnx"), "absent.onnx")
    assert not (tmp_path / "report").exists()


def test_misspelt_network(hwsim_cli):
    expect(hwsim_cli("run", "digits_resnt"), "did you mean 'digits_resnet'?")


def test_a_file_that_is_no_network(hwsim_cli, tmp_path):
    (tmp_path / "text.onnx").write_text("not a protobuf")
    expect(hwsim_cli("run", tmp_path / "text.onnx"), "text.onnx")


def test_not_a_number_in_the_weights(hwsim_cli, tmp_path, images):
    model = load_model("digits_resnet")
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if values.ndim == 4:
            values.reshape(-1)[0] = np.nan
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
            break
    onnx.save(model, tmp_path / "nan.onnx")
    expect(hwsim_cli("run", tmp_path / "nan.onnx", "--inputs", images), "NaN")


def test_missing_images(hwsim_cli):
    expect(hwsim_cli("run", "--inputs", "absent.npz"), "absent.npz: no such file")


def test_images_under_another_name(hwsim_cli, tmp_path):
    np.savez(tmp_path / "other.npz", picture=np.zeros((1, 1, 8, 8), np.float32))
    expect(hwsim_cli("run", "--inputs", tmp_path / "other.npz"), "has keys picture but digits_resnet needs image")


def test_images_of_another_shape(hwsim_cli, tmp_path):
    np.savez(tmp_path / "shape.npz", image=np.zeros((2, 1, 9, 9), np.float32))
    expect(hwsim_cli("run", "--inputs", tmp_path / "shape.npz"), "'image'", "9, 9")


def test_images_that_are_no_archive(hwsim_cli, tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 broken")
    expect(hwsim_cli("run", "--inputs", tmp_path / "broken.npz"), "is not a readable .npz archive")


def test_labels_that_do_not_fit(hwsim_cli, tmp_path):
    np.savez(tmp_path / "l.npz", image=np.zeros((3, 1, 8, 8), np.float32) + 0.5, labels=np.zeros(2, np.int64))
    expect(hwsim_cli("run", "--inputs", tmp_path / "l.npz"), "image")


def test_negative_rows(hwsim_cli):
    expect(hwsim_cli("run", "--set", "array.rows=-4"), "array.rows must be a positive integer, not -4")


def test_unknown_key(hwsim_cli):
    expect(hwsim_cli("run", "--set", "array.colums=4"), "did you mean")


def test_unknown_machine(hwsim_cli):
    expect(hwsim_cli("run", "--hardware", "edge_16x61"), "did you mean 'edge_16x16'?")


def test_all_problems_of_a_machine_at_once(hwsim_cli, tmp_path):
    (tmp_path / "my.toml").write_text('extends = "edge_16x16"\nclock = 5\n[array]\nrows = 0\ncolumns = "x"\n')
    expect(hwsim_cli("check", "--hardware", tmp_path / "my.toml"), "array.rows", "array.columns", "clock_mhz")


def test_a_buffer_too_small_for_any_tile(hwsim_cli):
    result = hwsim_cli("run", "--set", "memory.weights.size_bytes=2")
    expect(result, "weights", "bytes")


def test_unknown_formats_and_registers(hwsim_cli):
    expect(hwsim_cli("run", "--weights", "int99"), "weights")
    expect(hwsim_cli("run", "--accumulator", "int16:saturat"), "saturate")
    expect(hwsim_cli("run", "--requantizer", "fixedpoint"), "did you mean 'fixed_point'?")


def test_an_impossible_grid_names_the_layer(hwsim_cli):
    expect(hwsim_cli("run", "--weights", "uint4"), "symmetric uint4 grid cannot hold")


def test_a_plan_that_matches_nothing(hwsim_cli, tmp_path):
    (tmp_path / "plan.toml").write_text('[[layer]]\nmatch = "nothing*"\nweights = "int4"\n')
    expect(hwsim_cli("run", "--precision", tmp_path / "plan.toml"), "'nothing*'")


def test_a_report_folder_that_is_a_file(hwsim_cli, tmp_path):
    (tmp_path / "taken").write_text("mine")
    expect(hwsim_cli("run", "--out", tmp_path / "taken"), "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_unknown_thing_to_show(hwsim_cli):
    expect(hwsim_cli("show", "hardwar"), "did you mean 'hardware'?")


def test_a_metric_that_cannot_be_imported(hwsim_cli):
    expect(hwsim_cli("run", "--metric", "nowhere:nothing"), "metric: 'nowhere:nothing' cannot be imported")


def test_a_sweep_without_labels(hwsim_cli, network, tmp_path):
    np.savez(tmp_path / "bare.npz", image=np.zeros((2, 1, 8, 8), np.float32))
    expect(hwsim_cli("sweep", network, "--inputs", tmp_path / "bare.npz"), "labels")


def test_a_sweep_table_of_something_else(hwsim_cli, tmp_path):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "sweep.csv").write_text("a,b\n1,2\n")
    expect(
        hwsim_cli("sweep", "--weights", "int8", "--activations", "uint8", "--accumulators", "exact"), "columns differ"
    )
    assert (tmp_path / "sweep" / "sweep.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (lambda path: path.write_bytes(damaged()), "is not a readable .npz archive"),
        (lambda path: path.write_bytes(unnamed()), "holds one unnamed array"),
        (lambda path: np.savez(path, image=np.float32(3)), "'image' is a single number"),
        (lambda path: np.savez(path), "is empty"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
)
def test_archives_that_hold_no_images(hwsim_cli, tmp_path, write, text):
    write(tmp_path / "bad.npz")
    expect(hwsim_cli("run", "--inputs", "bad.npz"), text)


def unnamed():
    import io

    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def damaged():
    """A compressed archive with its middle overwritten."""
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, image=np.random.default_rng(1).normal(size=(50, 1, 8, 8)).astype(np.float32))
    content = bytearray(buffer.getvalue())
    content[200:4000] = b"\xff" * 3800
    return bytes(content)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (np.zeros((3, 10), np.int64), "labels must be 3 integers"),
        (np.array(["a", "b", "c"]), "labels must be 3 integers"),
        (np.array([0.5, 1, 2]), "labels must be 3 integers"),
        (np.array([0, 1, 99]), "labels must be 0..9"),
    ],
)
def test_labels_of_the_wrong_kind(hwsim_cli, tmp_path, labels, text):
    np.savez(tmp_path / "l.npz", image=np.zeros((3, 1, 8, 8), np.float32) + 0.5, labels=labels)
    expect(hwsim_cli("run", "--inputs", "l.npz"), text)


@pytest.mark.parametrize(("name", "text"), [("broken", "KeyError"), ("word", "must return a number, not str")])
def test_a_metric_that_fails(hwsim_cli, tmp_path, name, text):
    (tmp_path / f"metric_{name}.py").write_text(
        "def broken(o, l):\n    return o['no']\ndef word(o, l):\n    return 'abc'\n"
    )
    expect(hwsim_cli("run", "--images", 5, "--metric", f"metric_{name}:{name}"), text)


def test_check_refuses_what_run_refuses(hwsim_cli):
    expect(hwsim_cli("check", "--set", "dram.kind=ddr9"), "ddr9")
    expect(hwsim_cli("run", "--images", 5, "--set", "dram.kind=ddr9"), "ddr9")


def test_a_mean_that_is_no_shift(hwsim_cli, tmp_path, network):
    model = load_model("digits_resnet")
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 12
    onnx.save(model, tmp_path / "wide.onnx")
    np.savez(tmp_path / "wide.npz", image=np.random.default_rng(0).random((4, 1, 12, 8)).astype(np.float32))
    expect(
        hwsim_cli("run", "wide.onnx", "--inputs", "wide.npz", "--requantizer", "power_of_two"), "head.pool", "no shift"
    )
