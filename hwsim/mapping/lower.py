"""From operators to tasks: array products, vector work, and views that cost nothing.

A convolution keeps its window, so that traffic knows about overlapping pixels. A depthwise convolution is ``channels``
products of one column each, which is what it is on an array. A grouped product with k = n = 1 (a channel affine) is an
element-wise multiplication and goes to the vector unit. A transposed convolution is the convolution of its zero-inserted
input: the inserted zeros are multiplied.
"""

from __future__ import annotations

from math import prod

from hwsim.errors import GraphError
from hwsim.graph import OPS, Graph, Node, Tensor, Work
from hwsim.mapping.gemm import Gemm, Window
from hwsim.mapping.tasks import Stream, Task, VectorWork
from hwsim.numerics.quant_params import QuantParams

VIEWS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})
FLOAT_BITS = 32


def lower(graph: Graph) -> tuple[Task, ...]:
    """Return the task of every operator, in order; raise GraphError for a graph without grids."""
    return tuple(Task(layer=node.name, op=node.op, work=_work(graph, node)) for node in graph.nodes)


def _work(graph: Graph, node: Node) -> Gemm | VectorWork | None:
    if node.op in VIEWS:
        return None
    if OPS[node.op].work is not Work.GEMM:
        return _vector(graph, node)
    if node.op in ("Conv", "ConvTranspose"):
        gemm = _convolution(graph, node)
        if gemm.k == 1 and gemm.n == 1:
            return _affine(graph, node)
        return gemm
    return _matrix(graph, node)


def _grid(graph: Graph, name: str, node: Node) -> QuantParams:
    params = graph.tensors[name].quant
    if params is None:
        raise GraphError(
            f"{graph.name}: tensor {name!r} of node {node.name!r} ({node.op}) has no grid; quantize the graph first"
        )
    return params


def _formats(graph: Graph, node: Node) -> dict[str, object]:
    ifmap, weight, ofmap = (_grid(graph, name, node) for name in (*node.inputs[:2], node.outputs[0]))
    return {
        "ifmap": ifmap.format,
        "weight": weight.format,
        "ofmap": ofmap.format,
        "ifmap_asymmetric": not ifmap.is_symmetric,
        "weight_asymmetric": not weight.is_symmetric,
        "weight_is_activation": not graph.tensors[node.inputs[1]].is_constant,
        "has_bias": len(node.inputs) > 2 and bool(node.inputs[2]),
    }


def _convolution(graph: Graph, node: Node) -> Gemm:
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    groups, kernel, dilations = (node.attributes[key] for key in ("groups", "kernel", "dilations"))
    in_height, in_width = x.shape[2:]
    strides, pads = tuple(node.attributes["strides"]), tuple(node.attributes["pads"])
    if node.op == "ConvTranspose":
        in_height, in_width = ((size - 1) * stride + 1 for size, stride in zip(x.shape[2:], strides, strict=True))
        reach = [dilations[i] * (kernel[i] - 1) for i in (0, 1)]
        extra = node.attributes["output_padding"]
        top, left, bottom, right = pads
        pads = (reach[0] - top, reach[1] - left, reach[0] - bottom + extra[0], reach[1] - right + extra[1])
        strides = (1, 1)
    window = Window(
        batch=x.shape[0],
        channels=x.shape[1] // groups,
        in_height=in_height,
        in_width=in_width,
        out_height=y.shape[2],
        out_width=y.shape[3],
        kernel=tuple(kernel),
        strides=strides,
        dilations=tuple(dilations),
        pads=pads,
    )
    return Gemm(
        m=y.shape[0] * y.shape[2] * y.shape[3],
        k=window.channels * window.taps,
        n=y.shape[1] // groups,
        groups=groups,
        window=window,
        **_formats(graph, node),  # type: ignore[arg-type]
    )


def _matrix(graph: Graph, node: Node) -> Gemm:
    weight, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    k, n = weight.shape[-2:]
    groups = 1 if len(weight.shape) == 2 else prod(y.shape[:-2])
    return Gemm(m=y.size // n // groups, k=k, n=n, groups=groups, **_formats(graph, node))  # type: ignore[arg-type]


def _affine(graph: Graph, node: Node) -> VectorWork:
    y = graph.tensors[node.outputs[0]]
    _grid(graph, y.name, node)
    return VectorWork(
        operations=(("multiply", y.size), ("add", y.size)),
        bits=max(graph.tensors[name].bits for name in node.inputs[:2]),
        reads=tuple(_stream(graph, name, index) for index, name in enumerate(node.inputs) if name),
        writes=(Stream(operand="ofmap", elements=y.size, bits=y.bits),),
        outputs=y.size,
    )


def _vector(graph: Graph, node: Node) -> VectorWork:
    spec = OPS[node.op]
    outputs = [graph.tensors[name] for name in node.outputs]
    for name in (*node.inputs, *node.outputs):
        if name and not graph.tensors[name].is_constant:
            _grid(graph, name, node)
    moves = spec.work is Work.MOVE or (node.op == "Resize" and node.attributes["mode"] == "nearest")
    elements = sum(tensor.size for tensor in outputs)
    per_output = _window(graph, node, outputs[0]) if spec.window else 1
    operations = () if moves else tuple((kind, count * elements * per_output) for kind, count in spec.operations)
    if node.op == "Sum":
        operations = (("multiply", len(node.inputs) * elements), ("add", (len(node.inputs) - 1) * elements))
    rescales = not moves and not spec.same_grid
    return VectorWork(
        operations=operations,
        bits=FLOAT_BITS if spec.work is Work.FLOAT else max(tensor.bits for tensor in outputs),
        reads=tuple(_stream(graph, name, index) for index, name in enumerate(node.inputs) if name),
        writes=tuple(Stream(operand="ofmap", elements=tensor.size, bits=tensor.bits) for tensor in outputs),
        outputs=elements if rescales else 0,
    )


def _window(graph: Graph, node: Node, output: Tensor) -> int:
    """Return how many inputs meet in one output."""
    if "kernel" in node.attributes:
        return int(prod(node.attributes["kernel"]))
    return max(1, graph.tensors[node.inputs[0]].size // output.size)


def _stream(graph: Graph, name: str, index: int) -> Stream:
    tensor = graph.tensors[name]
    operand = "weight" if tensor.is_constant else "ifmap"
    del index
    return Stream(operand=operand, elements=tensor.size, bits=tensor.bits)
