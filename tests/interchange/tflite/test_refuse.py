"""What is wrong with a file is said with its name, the rule, the value and a way out; nothing else is ever raised."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import GraphError
from hwsim.interchange.tflite import read_tflite
from tests.interchange.tflite import cases
from tests.interchange.tflite.builder import File

CONV = {"Padding": 0, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}


def conv(**changes):
    """A convolution, with some rows of its tensors, options or operands replaced."""
    f = File()
    x = f.input("x", (1, 4, 4, 2), "INT8", 0.5, 3)
    w = f.constant("w", np.ones((3, 3, 3, 2)), "INT8", scale=0.1)
    b = f.constant("b", [1, 2, 3], "INT32", scale=0.05)
    y = f.tensor("y", (1, 4, 4, 3), "INT8", 0.5)
    f.operator(changes.pop("code", "CONV_2D"), changes.pop("operands", [x, w, b]), [y], "Conv2DOptions",
               **{**CONV, **changes.pop("fields", {})})  # fmt: skip
    for name, rows in changes.items():
        next(row for row in f.tensors if row["name"] == name).update(rows)
    return f.build([y])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"model bytes: is not a TensorFlow Lite model: bytes 4 to 8 must read TFL3, not b''; export or download"),
        (b"\x20\0\0\0TFL3", r"is broken or was cut off: 8 bytes do not parse"),
        (conv()[:-40], r"is broken or was cut off"),
        (conv(x={"scale": None}), r"input tensor 'x' has no grid: it holds INT8 without a scale; convert the model with"),
        (conv(x={"scale": np.float32([0.0])}), r"scale must be positive and finite, not 0.0"),
        (conv(y={"zero_point": np.array([200])}), r"'y' \(CONV_2D\): tensor 'y'.*zero point 200 is not a code of int8"),
        (conv(w={"scale": np.float32([1, 2])}), r"tensor 'w': 2 scales do not fit dimension 0 of its shape \[3, 3, 3, 2\]"),
        (conv(w={"data": bytes(50)}), r"constant 'w': \[3, 3, 3, 2\] elements of type INT8 take 54 bytes, and the file holds 50"),
        (conv(x={"shape": (1, 4, 4, 3)}), r"3 input channels do not divide into groups of 2, as the weight has them"),
        (conv(x={"shape": (4, 4, 2)}), r"its input must be \[batch, height, width, channels\], not \[4, 4, 2\]"),
        (conv(fields={"StrideW": 0}), r"stride_h and stride_w must be positive, not 1 and 0"),
        (conv(fields={"Padding": 2}), r"padding must be SAME or VALID, not number 2"),
        (conv(fields={"FusedActivationFunction": 4}), r"the fused activation TANH is not supported here"),
        (conv(operands=[0, 0, 2]), r"weight 'x' is not constant; convert the model with it folded"),
        (conv(operands=[3, 1, 2]), r"tensor 'y' is read before an operator computes it"),
        (conv(operands=[0, 1, 7]), r"operator 0 \(CONV_2D\): its inputs name tensor 7, and the file has 4"),
        (conv(operands=[0]), r"it has 1 of its 2 operands"),
        (conv(b={"kind": "INT16", "data": bytes(6)}), r"bias 'b' holds INT16; integer products take INT32 or INT64"),
        (conv(x={"variable": True}), r"keeps its value between inferences; recurrent networks are not modelled"),
        (conv(code="CUSTOM"), r"'y': custom operator 'Own' is not supported; cut the model before it"),
        (conv(code="UNIDIRECTIONAL_SEQUENCE_LSTM"), r"operator UNIDIRECTIONAL_SEQUENCE_LSTM is not supported; rewrite it"),
        (conv(code="ADD"), r"operator ADD carries options of another operator"),
    ],
)  # fmt: skip
def test_messages(data, message):
    with pytest.raises(GraphError, match=message):
        read_tflite(data)


def test_missing_files(tmp_path):
    with pytest.raises(GraphError, match="there is no such file; give the path of a TensorFlow Lite model"):
        read_tflite(tmp_path / "none.tflite")
    with pytest.raises(GraphError, match="is a folder; give the path"):
        read_tflite(tmp_path)


def test_all_problems_at_once():
    f = File()
    x = f.input("x", (2, 3), "FLOAT32")
    for number, code in enumerate(("WHERE", "RELU", "TOPK_V2")):
        y = f.tensor(f"y{number}", (2, 3), "FLOAT32")
        f.operator(code, [x], [y])
    with pytest.raises(
        GraphError, match=r"2 problems:\n  operator 'y0': operator WHERE.*\n  operator 'y2': operator TOPK"
    ):
        read_tflite(f.build([y]))


def read_or_refuse(data):
    """Read what may be broken: anything but a GraphError is a fault of the reader."""
    with suppress(GraphError):
        read_tflite(data)


KINDS = [(case, kinds[0]) for case, kinds in cases.CASES.items()]


@settings(max_examples=120)
@given(st.sampled_from(KINDS), st.integers(0, 3), st.data())
def test_broken_bytes(case, seed, data):
    """Some bytes replaced, the end cut off now and then."""
    file = bytearray(cases.model(*case, seed)[0])
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(file) - 1))
        file[place] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 0x7F, 0xFF])))
    read_or_refuse(bytes(file[: data.draw(st.one_of(st.just(len(file)), st.integers(0, len(file))))]))


SIZES = st.sampled_from([0, 1, 2, 3, 7, 1000, 2**31 - 1])
SCALES = st.sampled_from([None, [0.0], [np.nan], [-1.0], [1e-40], [3e38], [1e-30], [0.1, 0.2, 0.3]])
NUMBERS = st.sampled_from([0, 1, -1, 2, 3, 5, 100])


@settings(max_examples=200)
@given(st.sampled_from(KINDS), st.integers(0, 3), st.data())
def test_files_that_parse_and_make_no_sense(case, seed, data):
    """Shapes, types, grids, operands, options and codes replaced in a file that is well-formed otherwise."""
    _, draw = cases.model(*case, seed)
    file = draw.file
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.sampled_from(file.tensors))
        place = data.draw(st.integers(0, len(file.operators) - 1))
        code, inputs, outputs, options, fields, version = file.operators[place]
        change = data.draw(
            st.sampled_from(["shape", "kind", "scale", "zero", "operand", "fewer", "field", "code", "data"])
        )
        if change == "shape":
            row["shape"] = tuple(data.draw(st.lists(SIZES, max_size=5)))
        elif change == "kind":
            row["kind"] = data.draw(
                st.sampled_from(["INT8", "UINT8", "INT16", "INT32", "FLOAT32", "FLOAT16", "INT4", "BOOL"])
            )
        elif change == "scale":
            scale = data.draw(SCALES)
            row["scale"], row["zero_point"] = (None if scale is None else np.float32(scale)), np.zeros(1, np.int64)
        elif change == "zero" and row["scale"] is not None:
            row["zero_point"] = np.array([data.draw(st.sampled_from([0, 1, -129, 255, 2**40]))])
        elif change == "operand":
            other = data.draw(st.integers(-1, len(file.tensors) - 1))
            kept = data.draw(st.integers(0, len(inputs) - 1)) if inputs else 0
            inputs = (*inputs[:kept], other, *inputs[kept + 1 :])
        elif change == "fewer":
            inputs = inputs[:-1]
        elif change == "field" and fields:
            key = data.draw(st.sampled_from(sorted(fields)))
            old, new = fields[key], data.draw(NUMBERS)
            kinds = {bool: bool, tuple: lambda value: (value,), float: float}
            fields = {**fields, key: kinds.get(type(old), lambda value: value % 128)(new)}
        elif change == "code":
            code = data.draw(
                st.sampled_from(["ADD", "MEAN", "SHAPE", "RESHAPE", "PACK", "GATHER", "CAST", "FILL", "MUL"])
            )
        elif change == "data" and row["data"] is not None:
            row["data"] = row["data"][: data.draw(st.integers(1, len(row["data"])))]
        file.operators[place] = (code, inputs, outputs, options, fields, version)
    read_or_refuse(file.build([file.operators[-1][2][0]]))
