"""From operators to tasks: array products, vector work, and views that cost nothing.

A convolution keeps its window, so that traffic knows about overlapping pixels. A depthwise convolution is ``channels``
products of one column each, which is what it is on an array. A grouped product with k = n = 1 (a channel affine) is an
element-wise multiplication and goes to the vector unit, which multiplies exactly. A transposed convolution is the
convolution of its zero-inserted input: the inserted zeros are multiplied, but neither stored nor loaded. A matrix product
with a batch of right operands is one product per pair of matrices; with one right operand all rows meet it together. A
product that a quantized model leaves in real numbers is float32 work of the vector unit. Scales that change along k cut a
product into segments.
"""

from __future__ import annotations

from math import prod
from typing import Any

from hwsim.graph import OPS, Graph, Node, Work, runs_on_array
from hwsim.graph.partition import k_partition
from hwsim.mapping.gemm import Gemm, Window
from hwsim.mapping.output_scales import output_scales, weight_columns_differ
from hwsim.mapping.tasks import Task, VectorWork
from hwsim.mapping.vector_work import channel_affine, grid_of, real_product, vector_work
from hwsim.numerics.formats import IntFormat

REAL_RESULT = IntFormat(bits=32)  # a result without a grid leaves as float32
VIEWS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Reinterpret"})


def lower(graph: Graph) -> tuple[Task, ...]:
    """Return the task of every operator, in order; raise GraphError for a graph without grids."""
    return tuple(_task(graph, node) for node in graph.nodes)


def _task(graph: Graph, node: Node) -> Task:
    work = _work(graph, node)
    reads = tuple(name for name in node.inputs if name)
    taken = len(work.reads) if isinstance(work, VectorWork) else 2  # Slice and Gather read what they pick from
    return Task(layer=node.name, op=node.op, work=work, reads=reads[:taken], writes=tuple(node.outputs))


def _work(graph: Graph, node: Node) -> Gemm | VectorWork | None:
    if node.op in VIEWS:
        return None
    if OPS[node.op].work is not Work.GEMM:
        return vector_work(graph, node)
    if graph.is_quantized and not runs_on_array(graph, node):
        return real_product(graph, node)
    if node.op in ("Conv", "ConvTranspose"):
        gemm = _convolution(graph, node)
        if gemm.k == 1 and gemm.n == 1:
            return channel_affine(graph, node)
        return gemm
    return _matrix(graph, node)


def _formats(graph: Graph, node: Node, together: bool = False) -> dict[str, Any]:
    ifmap, weight = (grid_of(graph, name, node) for name in node.inputs[:2])
    ofmap = graph.tensors[node.outputs[0]].quant
    return {
        "ifmap": ifmap.format,
        "weight": weight.format,
        "ofmap": REAL_RESULT if ofmap is None else ofmap.format,
        "ifmap_asymmetric": not ifmap.is_symmetric,
        "weight_asymmetric": not weight.is_symmetric,
        "weight_is_activation": not graph.tensors[node.inputs[1]].is_constant,
        "sparsity": graph.tensors[node.inputs[1]].sparsity,
        "has_bias": len(node.inputs) > 2 and bool(node.inputs[2]),
        **output_scales(graph, node, together),
        **_segments(graph, node),
        **_weight_zeros(graph, node),
    }


def _weight_zeros(graph: Graph, node: Node) -> dict[str, Any]:
    """Return what has weight zero points of its own; nothing where one serves all, which is a register."""
    grid, partition = grid_of(graph, node.inputs[1], node), k_partition(graph, node)
    if grid.is_symmetric or len(grid.zero_point) == 1:
        return {}
    if partition is not None and len(set(partition.weight)) > 1:
        return {"weight_zeros": "segments"}
    return {"weight_zeros": "columns"} if weight_columns_differ(graph, node) else {}


def _segments(graph: Graph, node: Node) -> dict[str, Any]:
    """Return where scales change along k, in the array's order; nothing where one pair serves all of it."""
    partition = k_partition(graph, node)
    if partition is None or partition.is_whole:
        return {}
    taps = prod(node.attributes["kernel"]) if node.op in ("Conv", "ConvTranspose") else 1
    granularity = grid_of(graph, node.inputs[1], node).granularity
    by_column = granularity.block is not None or granularity.by is not None
    changes = len(set(partition.weight)) > 1
    return {
        "segments": tuple(channels * taps for channels in partition.segments),
        "channel_order": () if partition.is_ordered else partition.order,
        "shares_scales": not (by_column and changes),
    }


def _convolution(graph: Graph, node: Node) -> Gemm:
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    groups, kernel, dilations = (node.attributes[key] for key in ("groups", "kernel", "dilations"))
    in_height, in_width = x.shape[2:]
    strides, pads = tuple(node.attributes["strides"]), tuple(node.attributes["pads"])
    spread = (1, 1)
    if node.op == "ConvTranspose":
        spread = strides
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
        spread=spread,
    )
    return Gemm(
        m=y.shape[0] * y.shape[2] * y.shape[3],
        k=window.channels * window.taps,
        n=y.shape[1] // groups,
        groups=groups,
        window=window,
        **_formats(graph, node),
    )


def _matrix(graph: Graph, node: Node) -> Gemm:
    x, weight, y = (graph.tensors[name] for name in (*node.inputs[:2], node.outputs[0]))
    k, n = x.shape[-1], weight.shape[-1] if len(weight.shape) > 1 else 1
    together = prod(weight.shape[:-2]) == 1
    m = y.size // n if together else (x.shape[-2] if len(x.shape) > 1 else 1)
    return Gemm(m=m, k=k, n=n, groups=y.size // (m * n), **_formats(graph, node, together))
