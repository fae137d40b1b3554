"""Grids against QuantizeLinear and DequantizeLinear of onnx and ONNX Runtime, and against QONNX's own functions."""

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hwsim.numerics.formats import BIPOLAR, FloatFormat, IntFormat, Specials, parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.qonnx import ROUNDINGS
from hwsim.numerics.quant_params import QuantOrder, QuantParams

ONNX_TYPES = {
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
    "int16": TensorProto.INT16,
    "uint16": TensorProto.UINT16,
    "int4": TensorProto.INT4,
    "uint4": TensorProto.UINT4,
    "int2": TensorProto.INT2,
    "uint2": TensorProto.UINT2,
    "fp8e4m3fn": TensorProto.FLOAT8E4M3FN,
    "fp8e5m2": TensorProto.FLOAT8E5M2,
    "fp8e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ,
    "fp8e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ,
    "fp4e2m1": TensorProto.FLOAT4E2M1,
}
RUNTIME_LACKS = ("fp4e2m1",)
GRANULARITIES = {"tensor": Granularity(), "axis": Granularity(axis=1), "blocked": Granularity(axis=1, block=4)}
SHAPE = (3, 10, 2)
OPSET, IR_VERSION = 25, 12
SEEDS = 8
HOW = "is not installed (pip install .[oracle])"


def model(params, operator, saturate):
    """A model of one operator, codes in int64 or real values out."""
    granularity, element = params.granularity, ONNX_TYPES[str(params.format)]
    attributes = {} if granularity.axis is None else {"axis": granularity.axis}
    if granularity.block is not None:
        attributes["block_size"] = granularity.block
    if operator == "QuantizeLinear" and str(params.format).startswith("fp8"):
        attributes["saturate"] = int(saturate)
    dims = granularity.scale_shape(SHAPE)
    scale = numpy_helper.from_array(params.scales().reshape(dims), "scale")
    zero = helper.make_tensor("zero", element, dims, [float(z) for z in params.zero_point])
    quantizes = operator == "QuantizeLinear"
    ends = (TensorProto.FLOAT, element) if quantizes else (element, TensorProto.FLOAT)
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "scale", "zero"], ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info("x", ends[0], SHAPE)],
        [helper.make_tensor_value_info("y", ends[1], SHAPE)],
        [scale, zero],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made)
    return made


def by_reference(made, x):
    return ReferenceEvaluator(made).run(None, {"x": x})[0]


def by_runtime(made, x):
    runtime = pytest.importorskip("onnxruntime", reason=f"onnxruntime {HOW}")
    session = runtime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    element = made.graph.output[0].type.tensor_type.elem_type
    value = runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(x, made.graph.input[0].type.tensor_type.elem_type)
    result = session.run_with_ort_values(None, {"x": value})[0]
    return result.numpy() if element == TensorProto.FLOAT else result


def draw(text, granularity, seed):
    """A grid with power-of-two and odd scales, and data on and beside ties, beyond the ends."""
    random = np.random.default_rng(seed)
    number = parse_format(text)
    count = int(np.prod(granularity.scale_shape(SHAPE)))
    scales = np.float32(
        np.where(random.random(count) < 0.5, 2.0 ** random.integers(-6, 3, count), random.uniform(0.01, 2, count))
    )
    zeros = np.zeros(count, int)
    if isinstance(number, IntFormat):
        zeros = random.integers(number.minimum, number.maximum, count, endpoint=True)
    params = QuantParams(
        format=number, scale=tuple(scales.tolist()), zero_point=tuple(zeros.tolist()), granularity=granularity
    )
    spread = np.broadcast_to(granularity.spread(scales, SHAPE), SHAPE)
    reach = float(number.operand_range[1] * number.unit)
    x = np.where(random.random(SHAPE) < 0.5, random.integers(-40, 40, SHAPE) / 2, random.normal(0, reach, SHAPE))
    return params, np.float32(x * spread)


each_type = pytest.mark.parametrize("text", ONNX_TYPES)
each_granularity = pytest.mark.parametrize("granularity", GRANULARITIES.values(), ids=GRANULARITIES)


@each_type
@each_granularity
def test_codes_of_onnx_reference(text, granularity):
    for seed in range(SEEDS):
        params, x = draw(text, granularity, seed)
        expected = by_reference(model(params, "QuantizeLinear", True), x)
        got = params.encode(x)
        assert np.array_equal(got, expected.view(np.uint8) if text.startswith("fp") else expected.astype(np.int64))
        real = by_reference(model(params, "DequantizeLinear", True), expected)
        assert np.array_equal(params.decode(got), real)


@pytest.mark.oracle
@pytest.mark.parametrize("text", [text for text in ONNX_TYPES if text not in RUNTIME_LACKS])
@each_granularity
def test_codes_of_onnx_runtime(text, granularity):
    """The runtime's own codes go straight into its DequantizeLinear; both real results are compared."""
    runtime = pytest.importorskip("onnxruntime", reason=f"onnxruntime {HOW}")
    for seed in range(SEEDS):
        params, x = draw(text, granularity, seed)
        codes = by_runtime(model(params, "QuantizeLinear", True), x)
        made = model(params, "DequantizeLinear", True)
        session = runtime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
        real = session.run_with_ort_values(None, {"x": codes})[0].numpy()
        assert np.array_equal(params.decode(params.encode(x)), real)


@pytest.mark.parametrize("text", ["fp8e4m3fn", "fp8e5m2", "fp8e4m3fnuz", "fp8e5m2fnuz"])
def test_casts_that_do_not_saturate(text):
    params = QuantParams(format=parse_format(text), scale=(1.0,), saturate=False)
    x = np.float32(np.linspace(-1e5, 1e5, int(np.prod(SHAPE)))).reshape(SHAPE)
    expected = by_reference(model(params, "QuantizeLinear", False), x).astype(np.float32)
    assert np.array_equal(params.decode(params.encode(x)), expected, equal_nan=True)


@settings(deadline=None, max_examples=400)
@given(
    mode=st.sampled_from(sorted(ROUNDINGS)),
    bits=st.integers(1, 24),
    signed=st.booleans(),
    narrow=st.booleans(),
    power_of_two=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_codes_of_qonnx(mode, bits, signed, narrow, power_of_two, seed):
    """Every rounding mode and every width that float32 holds, ties and both ends; one signed bit is bipolar there.

    From 25 bits its bounds are rounded to float32, and its codes may leave the format.
    """
    intquant = pytest.importorskip("qonnx.custom_op.general.intquant", reason=f"qonnx {HOW}")
    random = np.random.default_rng(seed)
    bipolar = bits == 1 and signed
    assume(bipolar or not (bits == 1 and narrow))  # a single value
    number = BIPOLAR if bipolar else IntFormat(bits=bits, signed=signed, narrow=narrow)
    scale = np.float32(2.0 ** random.integers(-8, 4) if power_of_two else random.uniform(1e-3, 4))
    zero = 0 if bipolar else int(random.integers(*number.operand_range, endpoint=True))
    x = np.float32(random.integers(-60, 60, 50) / 2 * scale)
    x = np.append(x, np.float32(random.normal(0, 2.0**bits, 50) * scale))
    expected = intquant.int_quant(x, scale, np.float32(zero), np.float32(bits), signed, narrow, mode)
    if bipolar:
        params = QuantParams(format=number, scale=(float(scale),))
    else:
        params = QuantParams(
            format=number,
            scale=(float(scale),),
            zero_point=(zero,),
            order=QuantOrder.OFFSET_CLAMP_ROUND,
            rounding=ROUNDINGS[mode],
        )
    got = params.decode(params.encode(x))
    assert got.dtype == expected.dtype == np.float32
    assert np.array_equal(got, expected), (
        x[got != expected][:3],
        got[got != expected][:3],
        expected[got != expected][:3],
    )


@settings(deadline=None, max_examples=300)
@given(
    exponent=st.integers(2, 5),
    mantissa=st.integers(1, 5),
    bias=st.none() | st.integers(0, 12),
    mode=st.sampled_from(sorted(ROUNDINGS)),
    seed=st.integers(0, 2**32 - 1),
)
def test_values_of_qonnx_floats(exponent, mantissa, bias, mode, seed):
    """``float_quant`` without infinity and NaN: saturation at the largest value of the exponents."""
    floatquant = pytest.importorskip("qonnx.custom_op.general.floatquant", reason=f"qonnx {HOW}")
    number = FloatFormat(exponent_bits=exponent, mantissa_bits=mantissa, bias=bias, specials=Specials.FINITE)
    random = np.random.default_rng(seed)
    values = number.decode(np.arange(1 << (number.bits - 1)))
    middles = (values[1:] + values[:-1]) / 2
    x = np.concatenate([values, middles, random.normal(0, number.maximum, 60), random.normal(0, values[1], 60)])
    x = np.float32(x * random.choice([-1, 1], x.size))
    with np.errstate(all="ignore"):
        expected = floatquant.float_quant(
            x, np.float32(1), np.float32(exponent), np.float32(mantissa), np.float32(number.bias), rounding_mode=mode
        )
    got = number.decode(number.encode_real(x, rounding=ROUNDINGS[mode]))
    assert np.array_equal(got, expected.astype(np.float64)), (
        x[got != expected][:3],
        got[got != expected][:3],
        expected[got != expected][:3],
    )
