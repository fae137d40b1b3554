"""Every differentiable operator against the float32 reference, and its derivative against differences."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import ExecutionError, GraphError
from hwsim.execute.float32 import FLOAT_OPS, run_float
from hwsim.execute.float32.activation import clamp
from hwsim.graph import OPS, Node
from hwsim.quantization.prepare import prepare
from hwsim.quantization.reconstruct.operators import TORCH_OPS, run_node
from hwsim.quantization.reconstruct.part import Part
from hwsim.quantization.reconstruct.scopes import net

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

IMAGE = (2, 4, 7, 6)
WINDOW = {"kernel": (3, 2), "strides": (2, 1), "dilations": (1, 2)}
CONV = {**WINDOW, "pads": (1, 0, 2, 1), "groups": 2}
POOL = {**WINDOW, "pads": (1, 0, 1, 1)}
INDICES = np.array([[2, 0], [1, 1]])
CASES = [
    ("Conv", CONV, [IMAGE, (6, 2, 3, 2), (6,)]),
    ("Conv", {**CONV, "pads": (1, 1, 1, 1), "clamp": (0.0, 6.0)}, [IMAGE, (6, 2, 3, 2)]),
    ("ConvTranspose", {**CONV, "output_padding": (1, 0)}, [IMAGE, (4, 3, 3, 2), (6,)]),
    ("Gemm", {"clamp": (0.0, None)}, [(3, 5), (5, 4), (4,)]),
    ("MatMul", {}, [(2, 3, 5), (5, 4)]),
    ("MatMul", {}, [(2, 3, 4, 5), (2, 3, 5, 4)]),
    ("Add", {"clamp": (None, 0.5)}, [IMAGE, IMAGE]),
    ("Sub", {}, [IMAGE, (4, 1, 1)]),
    ("Sum", {}, [IMAGE, IMAGE, IMAGE]),
    ("Mul", {}, [IMAGE, (2, 4, 1, 1)]),
    ("Div", {}, [IMAGE, ()]),
    ("Pow", {}, [IMAGE, np.float32(2.0)]),
    ("Where", {}, [IMAGE, IMAGE, np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0], dtype=np.float32)]),
    ("Concat", {"axis": 1}, [IMAGE, (1, 3, 7, 6)]),
    ("MaxPool", {**POOL, "ceil_mode": 1}, [IMAGE]),
    ("MaxPool", {**POOL, "ceil_mode": 0}, [IMAGE]),
    ("AveragePool", {**POOL, "ceil_mode": 1, "count_include_pad": 1}, [IMAGE]),
    ("AveragePool", {**POOL, "ceil_mode": 0, "count_include_pad": 0}, [IMAGE]),
    ("GlobalAveragePool", {}, [IMAGE]),
    ("GlobalMaxPool", {}, [IMAGE]),
    ("ReduceMean", {"axes": (1, 3), "keepdims": 0}, [IMAGE]),
    ("ReduceMean", {"axes": (-1,), "keepdims": 1}, [IMAGE]),
    ("Relu", {}, [IMAGE]),
    ("Clip", {"minimum": -0.5, "maximum": None}, [IMAGE]),
    ("Clip", {"minimum": 0.5, "maximum": -0.5}, [IMAGE]),
    ("LeakyRelu", {"alpha": 0.1}, [IMAGE]),
    ("PRelu", {}, [IMAGE, (4, 1, 1)]),
    ("Sigmoid", {}, [IMAGE]),
    ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}, [IMAGE]),
    ("HardSwish", {}, [IMAGE]),
    ("Tanh", {}, [IMAGE]),
    ("Gelu", {"approximate": "none"}, [IMAGE]),
    ("Gelu", {"approximate": "tanh"}, [IMAGE]),
    ("Erf", {}, [IMAGE]),
    ("Sqrt", {}, [np.float32([0.1, 4.0])]),
    ("Exp", {}, [IMAGE]),
    ("Neg", {}, [IMAGE]),
    ("Softmax", {"axis": 1}, [IMAGE]),
    ("LayerNormalization", {"axis": 2, "epsilon": 1e-5}, [(2, 3, 8), (8,), (8,)]),
    ("LayerNormalization", {"axis": 2, "epsilon": 1e-5}, [IMAGE, (7, 6)]),
    ("BatchNormalization", {"epsilon": 1e-3}, [IMAGE, (4,), (4,), (4,), np.float32([0.5, 1.0, 2.0, 0.1])]),
    ("LRN", {"alpha": 0.3, "beta": 0.75, "bias": 1.0, "size": 3}, [IMAGE]),
    ("LRN", {"alpha": 0.3, "beta": 0.75, "bias": 2.0, "size": 2}, [IMAGE]),
    ("DynamicQuantize", {"axis": 2, "format": "int8"}, [(2, 3, 8)]),
    ("Rescale", {"clamp": (0.0, None)}, [(2, 3, 8), (2, 3, 1), (8,)]),
    ("DepthToSpace", {"blocksize": 2, "mode": "DCR"}, [IMAGE]),
    ("DepthToSpace", {"blocksize": 2, "mode": "CRD"}, [IMAGE]),
    ("Pad", {"pads": ((0, 0), (1, 0), (2, 1), (0, 3)), "mode": "constant", "value": 0.25}, [IMAGE]),
    ("Pad", {"pads": ((0, 0), (0, 0), (2, 1), (1, 3)), "mode": "reflect", "value": 0.0}, [IMAGE]),
    ("Pad", {"pads": ((0, 0), (0, 0), (2, 1), (1, 3)), "mode": "edge", "value": 0.0}, [IMAGE]),
    ("Reshape", {"shape": (0, -1, 3)}, [IMAGE]),
    ("Flatten", {"axis": 1}, [IMAGE]),
    ("Squeeze", {"axes": (1,)}, [(3, 1, 5)]),
    ("Unsqueeze", {"axes": (0, 3)}, [(3, 2)]),
    ("Transpose", {"permutation": (0, 2, 3, 1)}, [IMAGE]),
    ("Slice", {"starts": (5, 0), "ends": (1, 4), "axes": (2, 3), "steps": (-2, 1)}, [IMAGE]),
    ("Split", {"axis": 1, "sizes": (1, 3)}, [IMAGE]),
    ("Gather", {"axis": 1}, [IMAGE, INDICES]),
    ("Identity", {}, [IMAGE]),
    ("Quantize", {}, [IMAGE]),
    *[
        (
            "Resize",
            {
                "mode": mode,
                "coordinate_transformation_mode": transform,
                "nearest_mode": "round_prefer_floor",
                "scales": (2.0, 1.5),
                "output_size": (14, 9),
            },
            [IMAGE],
        )
        for mode in ("nearest", "linear")
        for transform in ("asymmetric", "half_pixel", "align_corners")
    ],
]
NOT_LEARNED = {"DynamicQuantizeLinear", "MultiThreshold", "Reinterpret"}


def arrays(op, operands, seed=0):
    rng = np.random.default_rng(seed)
    return [
        operand if isinstance(operand, np.ndarray | np.generic) else rng.normal(size=operand).astype(np.float32)
        for operand in operands
    ]


def case(op, attributes, operands):
    values = [np.asarray(value) for value in arrays(op, operands)]
    names = tuple(f"x{index}" for index in range(len(values)))
    return Node(name="n", op=op, inputs=names, outputs=("y",), attributes=attributes), values


@pytest.mark.parametrize(("op", "attributes", "operands"), CASES)
def test_computes_the_float_reference(op, attributes, operands):
    node, values = case(op, attributes, operands)
    low, high = node.clamp
    expected = [clamp(y, low, high) for y in FLOAT_OPS[op](node, [value.copy() for value in values])]
    found = run_node(node, [torch.from_numpy(value.copy()) for value in values])
    assert len(found) == len(expected)
    for ours, reference in zip(found, expected, strict=True):
        assert tuple(ours.shape) == reference.shape
        assert ours.dtype == torch.float32
        np.testing.assert_allclose(ours.numpy(), reference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("op", "attributes", "operands"), CASES)
def test_its_derivative_is_the_slope_of_the_float_reference(op, attributes, operands):
    """Along a random direction, in float64, where steps of 1e-6 cross no corner of a maximum or clamp."""
    node, values = case(op, attributes, operands)
    rng = np.random.default_rng(1)
    direction = rng.normal(size=values[0].shape)
    x = torch.tensor(values[0], dtype=torch.float64, requires_grad=True)
    rest = [torch.tensor(v, dtype=torch.float64 if v.dtype == np.float32 else torch.int64) for v in values[1:]]
    if op == "Resize" and attributes["mode"] == "linear":
        x, rest = x.float().detach().requires_grad_(), [value.float() for value in rest]
    outputs = run_node(node, [x, *rest])
    weights = [torch.tensor(rng.normal(size=tuple(y.shape)), dtype=x.dtype) for y in outputs]
    (gradient,) = torch.autograd.grad(sum((y * w).sum() for y, w in zip(outputs, weights, strict=True)), x)
    step = 1e-6 if x.dtype == torch.float64 else 1e-2

    def along(size):
        moved = (x + size * torch.tensor(direction, dtype=x.dtype)).detach()
        return float(sum((y * w).sum() for y, w in zip(run_node(node, [moved, *rest]), weights, strict=True)))

    slope = (along(step) - along(-step)) / (2 * step)
    assert slope == pytest.approx(float((gradient * torch.tensor(direction)).sum()), rel=1e-3, abs=1e-3)


def test_a_token_of_zeros_has_the_scale_one():
    node = Node(
        name="n", op="DynamicQuantize", inputs=("x",), outputs=("y", "s"), attributes={"axis": 1, "format": "int4"}
    )
    codes, scale = run_node(node, [torch.tensor([[0.0, 0.0], [3.5, -7.0]])])
    assert (codes.tolist(), scale.tolist()) == ([[0.0, 0.0], [3.5, -7.0]], [[1.0], [1.0]])


def test_every_operator_has_a_derivative_or_says_that_it_has_none():
    assert set(OPS) - set(TORCH_OPS) == NOT_LEARNED
    assert set(TORCH_OPS) - set(OPS) == set()
    assert {op for op, _, _ in CASES} == set(TORCH_OPS)


@pytest.mark.parametrize("op", sorted(NOT_LEARNED))
def test_an_operator_without_a_derivative_is_named_with_its_node(op):
    with pytest.raises(GraphError, match=f"node 'n': operator '{op}' cannot be differentiated"):
        run_node(Node(name="n", op=op, inputs=("x",), outputs=("y",)), [torch.zeros(1)])


def test_operands_that_do_not_fit_are_named():
    node = Node(name="n", op="Gemm", inputs=("x", "w"), outputs=("y",))
    with pytest.raises(ExecutionError, match=r"node 'n' \(Gemm\) fails on 'x' \[2, 3\], 'w' \[2, 3\]"):
        run_node(node, [torch.zeros(2, 3), torch.zeros(2, 3)])


@pytest.mark.parametrize("name", ["digits_mobilenet", "digits_resnet"])
def test_a_network_is_the_float_network(name):
    graph = prepare(hwsim.load(name))
    images = {"image": hwsim.dataset(name, "test")["image"][:8]}
    (scope,) = net(graph)
    found = Part.real(graph, scope)({"image": torch.from_numpy(images["image"])})
    expected = run_float(graph, images)
    np.testing.assert_allclose(found["logits"].numpy(), expected["logits"], rtol=1e-4, atol=1e-4)
