"""onnx's own node cases of the operators on codes: every case passes, integer for integer.

The operators run as a user runs them: read from the model, scheduled and executed on a machine. Cases pass scales, zero
points and weights as inputs; a network has them as initializers. The cases of the function that DynamicQuantizeLinear stands
for (``_expanded``) are ReduceMin, Min, ReduceMax, Max and a QuantizeLinear whose scale is computed: none of the operators
under test.
"""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hwsim.hardware import load_accelerator
from hwsim.interchange.onnx import read_onnx
from hwsim.interchange.onnx.element_types import format_of
from hwsim.interchange.reading.stored import codes_of, format_of_array
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.rounding import Rounding
from tests.integers import every_tensor
from tests.interchange.onnx.node_cases import node_cases

LEAST = {  # onnx 1.23; later versions only add cases
    "QuantizeLinear": 13, "DequantizeLinear": 14, "DynamicQuantizeLinear": 3, "QLinearConv": 1, "QLinearMatMul": 8,
    "ConvInteger": 2, "MatMulInteger": 1,
}  # fmt: skip
CASTS = {"Cast": 50, "CastLike": 48}
E8M0 = {"up": Rounding.AWAY, "down": Rounding.TO_ZERO, "nearest": Rounding.HALF_UP}


def is_code(element_type):
    return format_of(element_type) is not None


def low_precision(case):
    """Whether a Cast or CastLike reads or gives a type of fewer than 16 bits that is no bool."""
    types = [value.type.tensor_type.elem_type for value in (case.model.graph.input[0], case.model.graph.output[0])]
    return any(map(is_code, types))


@pytest.fixture(scope="module")
def cases():
    """Return the cases of one node, by operator; casts only where they read or give a low-precision type."""
    found = {}
    for case in node_cases():
        operators = [node.op_type for node in case.model.graph.node]
        if len(operators) == 1 and (operators[0] not in CASTS or low_precision(case)):
            found.setdefault(operators[0], []).append(case)
    return found


@pytest.fixture(scope="module")
def machine():
    exact = ("accumulator=int32:wrap", "psum=exact", "requantizer=float32", "arithmetic=onnxruntime")
    return load_accelerator("edge_16x16", overrides=[f"datapath.{key}" for key in exact])


def as_array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def data_of(case):
    inputs, outputs = case.data_sets[0]
    return [as_array(value) for value in inputs], [as_array(value) for value in outputs]


def with_constants(model, arrays, kept):
    """Return the model with all inputs but ``kept`` as initializers."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    given = list(zip([value.name for value in copy.graph.input], arrays, strict=True))
    for name, array in given:
        if name not in kept:
            element_type = next(v for v in copy.graph.input if v.name == name).type.tensor_type.elem_type
            raw = array.astype(helper.tensor_dtype_to_np_dtype(element_type), copy=False)
            copy.graph.initializer.append(numpy_helper.from_array(raw, name))
    return copy


def fed(array):
    """Integers as codes; floating point of 8 bits and less as the numbers that it stands for."""
    number = format_of_array(array)
    if number is None or array.dtype.kind in "iu":
        return array.astype(np.float32) if number is None else array
    codes = codes_of(array, number)
    return codes if isinstance(number, IntFormat) else number.decode(codes).astype(np.float32)


def executed(machine, model, arrays, kept):
    graph = read_onnx(model, batch=np.shape(arrays[0])[0])
    names = [value.name for value in model.graph.input]
    feeds = {name: fed(array) for name, array in zip(names, arrays, strict=True) if name in kept}
    results = every_tensor(graph, machine, feeds)
    return graph, [results[value.name] for value in model.graph.output]


def same_codes(number, got, wanted):
    """Integers are equal; floating point is as onnx compares it: -0 is 0 (QuantizeLinear to f4 adds its zero point, +0)."""
    codes = codes_of(wanted, number)
    assert got.dtype == codes.dtype
    if isinstance(number, IntFormat):
        np.testing.assert_array_equal(got, codes, strict=True)
    else:
        np.testing.assert_array_equal(number.decode(got), number.decode(codes), strict=True)


def compare(graph, model, results, expected):
    for value, got, wanted in zip(model.graph.output, results, expected, strict=True):
        grid, element_type = graph.tensors[value.name].quant, value.type.tensor_type.elem_type
        assert got.shape == wanted.shape
        if is_code(element_type):
            assert grid.format == format_of(element_type)
            same_codes(grid.format, got, wanted)
        else:
            real = got if grid is None else grid.decode(got)
            np.testing.assert_array_equal(real.astype(wanted.dtype), wanted)


@pytest.mark.parametrize("operator", LEAST)
def test_operator(operator, cases, machine):
    for case in cases[operator]:
        arrays, expected = data_of(case)
        names = [value.name for value in case.model.graph.input]
        activations = [{names[0]}]
        if operator in ("QLinearMatMul", "MatMulInteger"):
            activations.append({names[0], "b", "B"} & set(names))
        for kept in activations:
            model = with_constants(case.model, arrays, kept)
            graph, results = executed(machine, model, arrays, kept)
            compare(graph, model, results, expected)
    assert len(cases[operator]) >= LEAST[operator]


@pytest.mark.parametrize("operator", CASTS)
def test_cast_of_numbers(operator, cases):
    """The formats alone, on every input: NaN and infinity too."""
    for case in cases[operator]:
        arrays, (expected,) = data_of(case)
        source, target = format_of_array(arrays[0]), format_of_array(expected)
        real = np.asarray(arrays[0] if source is None else source.decode(codes_of(arrays[0], source)))
        if target is None:
            np.testing.assert_array_equal(real.astype(expected.dtype), expected, err_msg=case.name)
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in case.model.graph.node[0].attribute}
        whole = isinstance(target, IntFormat)
        rounding = Rounding.TO_ZERO if whole else Rounding.HALF_EVEN
        if str(target) == "e8m0":
            rounding = E8M0[attributes.get("round_mode", b"up").decode()]
        codes = target.encode_real(real, rounding=rounding, saturate=not whole and bool(attributes.get("saturate", 1)))
        np.testing.assert_array_equal(codes, codes_of(expected, target), err_msg=case.name, strict=True)
    assert len(cases[operator]) >= CASTS[operator]


@pytest.mark.parametrize("operator", CASTS)
def test_cast_of_a_network(operator, cases, machine):
    """Through the reader and the executor, whose inputs must be numbers.

    A number beyond the integers of the result is left out: "undefined if OOR (out of range)", says Cast. onnx's cases drop
    its high bits, as the formats do above, and a network's Quantize saturates.
    """
    for case in cases[operator]:
        arrays, expected = data_of(case)
        number = format_of_array(expected[0])
        values = fed(arrays[0]).astype(np.float64)
        defined = np.isfinite(values)
        if isinstance(number, IntFormat):
            defined &= (np.trunc(values) >= number.minimum) & (np.trunc(values) <= number.maximum)
        rows = defined.reshape(len(values), -1).all(axis=1)
        arrays[0], expected[0] = arrays[0][rows], expected[0][rows]
        assert arrays[0].size
        kept = {case.model.graph.input[0].name}
        model = with_constants(case.model, arrays, kept)
        graph, results = executed(machine, model, arrays, kept)
        compare(graph, model, results, expected)
