"""``hwsim export``: files for other programs."""

import onnx
import pytest


def operators(path):
    return {node.op_type for node in onnx.load(path).graph.node}


def test_qdq_is_the_default(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli("export", "--weights", "int4", "--activations", "uint6", "--images", 4)
    assert (code, err) == (0, "")
    path = tmp_path / "quantized.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    assert {"QuantizeLinear", "DequantizeLinear", "Clip"} <= operators(path)
    assert "note: uint6 codes are stored in 8 bits, and a Clip keeps their range: " in out
    assert "QDQ model: quantized.onnx" in out


def test_qonnx(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli("export", "digits_mobilenet", "--format", "qonnx", "--out", "m.onnx", "--batch", 3)
    assert (code, err) == (0, "")
    assert "Quant" in operators(tmp_path / "m.onnx")
    assert "QONNX model: m.onnx" in out
    first = onnx.load(tmp_path / "m.onnx").graph.input[0]
    assert first.type.tensor_type.shape.dim[0].dim_value == 3


def test_scales_that_a_shift_can_do(hwsim_cli, tmp_path):
    code, _, err = hwsim_cli("export", "--requantizer", "power_of_two:half_even", "--out", "p.onnx")
    assert (code, err) == (0, "")
    constants = onnx.load(tmp_path / "p.onnx").graph.initializer
    scales = [onnx.numpy_helper.to_array(tensor) for tensor in constants if tensor.name.endswith("/scale")]
    assert scales
    assert all((abs(onnx.numpy_helper.np.frexp(scale)[0]) == 0.5).all() for scale in scales)


NOTE = "ONNX Runtime on x86 without VNNI adds pairs of products in 16 bits, which 'stem.conv'"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--weights", "int8"), True),
        (("--weights", "int7"), False),
        (("--weights", "int8", "--activations", "int8"), False),
        (("--weights", "int8", "--activations", "uint6"), True),  # the image keeps 8 bits, and the first layer reads it
        (("--weights", "int8", "--format", "qonnx"), False),
    ],
)
def test_weights_that_some_processors_add_wrongly_are_named(hwsim_cli, arguments, said):
    code, out, err = hwsim_cli("export", *arguments)
    assert (code, err) == (0, "")
    assert (NOTE in out) == said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "qdp"), "hwsim: --format: 'qdp' is unknown; did you mean 'qdq'?\n"),
        (("shufflenet",), "hwsim: export: shufflenet needs images that set the ranges; give --calibration images.npz, or --images N to draw them\n"),
        (("--out", "q.tflite"), "hwsim: q.tflite: is written as ONNX; give it the ending .onnx\n"),
        (("--out", "missing/q.onnx"), "hwsim: missing/q.onnx: cannot be written: there is no folder missing; make it first\n"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(hwsim_cli, arguments, message):
    assert hwsim_cli("export", *arguments)[::2] == (2, message)


@pytest.mark.parametrize(("weights", "named"), [("int12", True), ("int3", False)])
def test_weights_that_are_read_back_wider_are_named(hwsim_cli, tmp_path, weights, named):
    code, out, _ = hwsim_cli(
        "quantize", "digits_resnet", "--recipe", "mse", "--weights", weights, "--out", tmp_path / "q.onnx"
    )
    assert code == 0
    assert (f"ONNX has no {weights}" in out) == named
    assert (tmp_path / "q.onnx").is_file()
