"""Each operator's codes are the requantized exact sums, for random grids, shapes and both zero-point rules.

The exact sums come from the float32 operators on centred codes, which are exact below 2^24 and share no code with the
integer executor's arrays; the requantization comes from its definition on Python integers.
"""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizers import definition
from hwsim.quantization.grid import params_of_ranges
from tests.execute.integer.networks import grid, network, on_grid
from tests.integers import every_tensor

UNITS = ("fixed_point", "float32", "fixed_point:12:half_even")


def machine(requantizer="fixed_point", zero_point="folded", bias="end"):
    return hwsim.accelerator(
        "edge_16x16",
        overrides=[
            "datapath.psum=exact",
            "datapath.accumulator=exact",
            f"datapath.requantizer={requantizer}",
            f"datapath.zero_point={zero_point}",
            f"datapath.bias={bias}",
            "memory.weights.size_bytes=262144",
        ],
    )


def requantized(sums, scales, params, unit, clamp=(None, None)):
    """Requantize ``sums [..., n]`` one by one."""
    scheme = definition(unit.scheme)
    constants = scheme.constants(np.asarray(scales), unit)
    low, high = (
        default if end is None else int(params.encode(np.array([end], np.float32))[0])
        for end, default in zip(clamp, (params.format.minimum, params.format.maximum), strict=True)
    )
    flat = sums.reshape(-1, sums.shape[-1])
    n = constants.multiplier.size
    rows = [
        [
            scheme.requantize_one(
                int(value),
                constants.multiplier[j % n],
                int(constants.shift[j % n]),
                unit,
                params.zero_point[0],
                low,
                high,
            )
            for j, value in enumerate(row)
        ]
        for row in flat
    ]
    return np.array(rows).reshape(sums.shape)


def covering(real):
    """Return an int8 grid that covers the values, with a zero point other than 0."""
    return params_of_ranges(
        [(float(real.min()), float(real.max()))], IntFormat.parse("int8"), symmetric=False, power_of_two=False
    )


def centred(codes, params):
    shape = params.granularity.shape(len(params.zero_point), codes.ndim)
    return (codes - np.array(params.zero_point).reshape(shape)).astype(np.float32)


CONVOLUTIONS = [
    (
        "Conv",
        {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1},
        (4, 3, 3, 3),
        (3, 7, 6),
    ),
    (
        "Conv",
        {"kernel": (3, 2), "strides": (2, 3), "pads": (0, 1, 2, 0), "dilations": (2, 1), "groups": 1},
        (5, 4, 3, 2),
        (4, 9, 8),
    ),
    (
        "Conv",
        {"kernel": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 6},
        (6, 1, 3, 3),
        (6, 6, 6),
    ),
    (
        "Conv",
        {"kernel": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 2},
        (6, 2, 1, 1),
        (4, 5, 5),
    ),
    (
        "Conv",
        {"kernel": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 5},
        (5, 1, 1, 1),
        (5, 4, 4),
    ),
    (
        "ConvTranspose",
        {
            "kernel": (3, 3),
            "strides": (2, 2),
            "pads": (1, 1, 1, 1),
            "dilations": (1, 1),
            "groups": 1,
            "output_padding": (1, 1),
        },
        (4, 3, 3, 3),
        (4, 4, 5),
    ),
    (
        "ConvTranspose",
        {
            "kernel": (2, 2),
            "strides": (2, 1),
            "pads": (0, 2, 0, 1),
            "dilations": (1, 1),
            "groups": 2,
            "output_padding": (0, 0),
        },
        (4, 3, 2, 2),
        (4, 4, 6),
    ),
]


@pytest.mark.parametrize("requantizer", UNITS)
@pytest.mark.parametrize(("zero_point", "bias_at"), [("folded", "end"), ("subtracted", "start"), ("folded", "start")])
@pytest.mark.parametrize(("op", "attributes", "weight_shape", "image"), CONVOLUTIONS)
@pytest.mark.parametrize("asymmetric_weights", [False, True])
def test_convolutions(op, attributes, weight_shape, image, asymmetric_weights, zero_point, bias_at, requantizer):
    rng = np.random.default_rng(5)
    groups = attributes["groups"]
    out_channels = weight_shape[0] if op == "Conv" else weight_shape[1] * groups
    per_channel = {"channels": weight_shape[0], "axis": 0} if op == "Conv" else {}
    x_grid = grid(rng, "uint8")
    w_grid = grid(rng, "int8", symmetric=not asymmetric_weights, **per_channel)
    weight, w_codes = on_grid(rng, weight_shape, w_grid)
    scales = np.broadcast_to(w_grid.scales(), (out_channels,)) * x_grid.scales()
    b_grid = type(w_grid)(
        format=type(w_grid.format).parse("int32"),
        scale=tuple(float(s) for s in scales),
        zero_point=(0,) * out_channels,
        granularity=grid(rng, "int8", channels=out_channels, axis=0).granularity,
    )
    bias_codes = rng.integers(-5000, 5000, out_channels)
    bias = b_grid.decode(bias_codes)
    operands = [((1, *image), x_grid, None), (weight_shape, w_grid, weight), ((out_channels,), b_grid, bias)]
    x, x_codes = on_grid(rng, (2, *image), x_grid)
    node = network(op, attributes, operands, grid(rng, "int8")).nodes[0]
    sums = FLOAT_OPS[op](node, [centred(x_codes, x_grid), centred(w_codes, w_grid), bias_codes.astype(np.float32)])[0]
    assert np.abs(sums).max() < 2**24
    reals = sums * x_grid.scale[0] * w_grid.scale[0]
    y_grid, low = covering(reals), float(np.quantile(reals, 0.2))
    graph = network(op, {**attributes, "clamp": (low, None)}, operands, y_grid)
    accelerator = machine(requantizer, zero_point, bias_at)
    codes = every_tensor(graph, accelerator, {"in0": x})["out0"]
    unit = accelerator.datapath.requantizer.unit
    real = definition(unit.scheme).real_scale(
        x_grid.scale[0], np.broadcast_to(w_grid.scales(), (out_channels,)), y_grid.scale[0]
    )
    expected = requantized(np.moveaxis(sums.astype(np.int64), 1, -1), real, y_grid, unit, (low, None))
    np.testing.assert_array_equal(codes, np.moveaxis(expected, -1, 1))
    assert len(np.unique(codes)) > 5


@pytest.mark.parametrize("requantizer", UNITS)
@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
@pytest.mark.parametrize(
    ("left", "right", "constant"),
    [
        ((5, 7), (7, 4), True),
        ((2, 3, 5, 7), (7, 4), True),
        ((2, 3, 5, 7), (2, 3, 7, 4), False),
        ((3, 5, 7), (3, 7, 2), True),
        ((2, 5, 7), (7,), True),
        ((4, 7), (1, 7, 3), True),
    ],
)
def test_matrix_products(left, right, constant, zero_point, requantizer):
    rng = np.random.default_rng(6)
    a_grid, b_grid, y_grid = grid(rng, "uint8"), grid(rng, "int8"), grid(rng, "int8", scale=3.0)
    b, b_codes = on_grid(rng, right, b_grid)
    graph = network("MatMul", {}, [(left, a_grid, None), (right, b_grid, b if constant else None)], y_grid)
    a, a_codes = on_grid(rng, left, a_grid)
    accelerator = machine(requantizer, zero_point)
    codes = every_tensor(graph, accelerator, {"in0": a} if constant else {"in0": a, "in1": b})["out0"]
    sums = centred(a_codes, a_grid).astype(np.int64) @ centred(b_codes, b_grid).astype(np.int64)
    unit = accelerator.datapath.requantizer.unit
    real = definition(unit.scheme).real_scale(a_grid.scale[0], b_grid.scales(), y_grid.scale[0])
    np.testing.assert_array_equal(codes, requantized(sums, real, y_grid, unit))


@pytest.mark.parametrize("requantizer", UNITS)
@pytest.mark.parametrize("op", ["Add", "Sub", "Sum", "Mul", "Concat"])
def test_elementwise(op, requantizer):
    rng = np.random.default_rng(7)
    grids = [grid(rng, text, scale=0.1) for text in ("uint8", "int6", "int8")[: 3 if op in ("Sum", "Concat") else 2]]
    y_grid = grid(rng, "uint8", scale=0.3)
    shapes = [(2, 3, 4, 5)] * len(grids)
    if op in ("Add", "Mul"):
        shapes[1] = (1, 3, 1, 1)
    attributes = {"axis": 1} if op == "Concat" else {}
    graph = network(
        op, attributes, [(shape, params, None) for shape, params in zip(shapes, grids, strict=True)], y_grid
    )
    reals, codes = zip(*(on_grid(rng, shape, params) for shape, params in zip(shapes, grids, strict=True)), strict=True)
    accelerator = machine(requantizer)
    if op in ("Add", "Mul"):
        graph = network(op, attributes, [(shapes[0], grids[0], None), (shapes[1], grids[1], reals[1])], y_grid)
    inputs = {name: real for name, real in zip(("in0", "in1", "in2"), reals, strict=False) if name in graph.inputs}
    ours = every_tensor(graph, accelerator, inputs)["out0"]
    unit = accelerator.datapath.requantizer.unit
    scheme = definition(unit.scheme)
    parts = [centred(c, params).astype(np.int64) for c, params in zip(codes, grids, strict=True)]
    one = np.ones(1)
    if op == "Mul":
        real = scheme.real_scale(grids[0].scale[0], grids[1].scales(), y_grid.scale[0])
        expected = requantized(parts[0] * parts[1], real, y_grid, unit)
    elif op == "Concat":
        expected = np.concatenate(
            [
                requantized(p, scheme.real_scale(g.scale[0], one, y_grid.scale[0]), y_grid, unit)
                for p, g in zip(parts, grids, strict=True)
            ],
            1,
        )
    else:
        ratios = np.array([scheme.real_scale(g.scale[0], one, y_grid.scale[0])[0] for g in grids])
        if op == "Sub":
            ratios[1] = -ratios[1]
        constants = scheme.sum_constants(ratios, unit)
        low, high = y_grid.format.minimum, y_grid.format.maximum
        expected = np.array(
            [
                scheme.rescale_sum_one(list(map(int, values)), constants, unit, y_grid.zero_point[0], low, high)
                for values in zip(*(p.reshape(-1) for p in np.broadcast_arrays(*parts)), strict=True)
            ]
        ).reshape(ours.shape)
    np.testing.assert_array_equal(ours, expected)


POOL = {"kernel": (3, 2), "strides": (2, 2), "pads": (1, 0, 1, 1), "dilations": (1, 1)}


@pytest.mark.parametrize("requantizer", UNITS)
@pytest.mark.parametrize("ceil_mode", [0, 1])
@pytest.mark.parametrize("include_pad", [0, 1])
def test_average_pool(include_pad, ceil_mode, requantizer):
    rng = np.random.default_rng(8)
    x_grid, y_grid = grid(rng, "uint8"), grid(rng, "uint8")
    attributes = {**POOL, "ceil_mode": ceil_mode, "count_include_pad": include_pad}
    graph = network("AveragePool", attributes, [((2, 3, 8, 7), x_grid, None)], y_grid)
    x, x_codes = on_grid(rng, (2, 3, 8, 7), x_grid)
    accelerator = machine(requantizer)
    ours = every_tensor(graph, accelerator, {"in0": x})["out0"]
    means = FLOAT_OPS["AveragePool"](graph.nodes[0], [centred(x_codes, x_grid)])[0].astype(np.float64)
    exact = means * x_grid.scale[0] / y_grid.scale[0] + y_grid.zero_point[0]
    assert np.abs(ours - np.clip(exact, 0, 255)).max() <= (0.6 if requantizer in ("fixed_point", "float32") else 1.0)


def test_max_pool_picks_codes_and_never_the_padding():
    rng = np.random.default_rng(9)
    x_grid = grid(rng, "int8")
    attributes = {**POOL, "ceil_mode": 1}
    graph = network("MaxPool", attributes, [((2, 3, 8, 7), x_grid, None)], x_grid)
    x, x_codes = on_grid(rng, (2, 3, 8, 7), x_grid)
    ours = every_tensor(graph, machine(), {"in0": x})["out0"]
    expected = FLOAT_OPS["MaxPool"](graph.nodes[0], [x_codes.astype(np.float32)])[0]
    np.testing.assert_array_equal(ours, expected.astype(np.int64))


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("Sigmoid", {}),
        ("LeakyRelu", {"alpha": 0.1}),
        ("HardSwish", {}),
        ("Relu", {}),
        ("Clip", {"minimum": -1.0, "maximum": 2.0}),
        ("Gelu", {"approximate": "none"}),
        ("Softmax", {"axis": -1}),
    ],
)
@pytest.mark.parametrize("bits", [4, 8, 16])
def test_functions_encode_their_float_value(op, attributes, bits):
    rng = np.random.default_rng(10)
    x_grid, y_grid = grid(rng, f"int{bits}", scale=8 / 2**bits), grid(rng, "uint8", scale=0.01, symmetric=True)
    graph = network(op, attributes, [((2, 5, 6), x_grid, None)], y_grid)
    x, x_codes = on_grid(rng, (2, 5, 6), x_grid)
    ours = every_tensor(graph, machine(), {"in0": x})["out0"]
    expected = y_grid.encode(FLOAT_OPS[op](graph.nodes[0], [x_grid.decode(x_codes)])[0])
    np.testing.assert_array_equal(ours, expected)


def test_padding_holds_the_code_of_its_value():
    rng = np.random.default_rng(12)
    x_grid = grid(rng, "uint8")
    attributes = {"pads": ((0, 0), (0, 0), (1, 2), (0, 1)), "mode": "constant", "value": 0.0}
    graph = network("Pad", attributes, [((1, 2, 3, 3), x_grid, None)], x_grid)
    x, x_codes = on_grid(rng, (1, 2, 3, 3), x_grid)
    ours = every_tensor(graph, machine(), {"in0": x})["out0"]
    np.testing.assert_array_equal(ours[:, :, 1:4, :3], x_codes)
    assert set(np.unique(ours[:, :, 0])) == {x_grid.zero_point[0]}


def test_a_sum_that_wraps_is_not_clipped():
    """VTA's store keeps the low bits of a result that no clip bounds: 100 + 100 is -56 in int8."""
    params = QuantParams(format=IntFormat.parse("int8"), scale=(0.5,), zero_point=(0,))
    graph = network("Add", {}, [((1, 2), params, None), ((1, 2), params, None)], params)
    reals = np.array([[50.0, 10.0]], np.float32)
    codes = every_tensor(graph, machine("vta_shift"), {"in0": reals, "in1": reals})["out0"]
    np.testing.assert_array_equal(codes, [[-56, 40]])
