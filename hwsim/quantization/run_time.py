"""Activation scales found while the network runs: one per token, or one per image.

Integers meet in the array, everything between is real: a product's codes come from a pass for the maximum and a division
(``DynamicQuantize``), its sums leave as float32 and are multiplied by the scale of their row (``Rescale``), which also adds the
bias. No calibration is needed, and every element pays a pass of the vector unit (Yao et al. 2022, ZeroQuant,
arXiv 2206.01861, section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import OPS, Graph, Node, Tensor, Work, passes_grid
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.constants import bias_of, stood_for
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class FindScalesAtRunTime:
    """Replace static activation grids in front of products with constant weights; the network's inputs keep theirs.

    A token is a row of a matrix product, an image the input of a convolution; codes are as wide as the plan says, unsigned
    where a clamp leaves nothing negative, symmetric in any case.
    """

    def __call__(self, state: State) -> State:
        """Return the state with the rewritten graph; weights keep their grids and codes."""
        return state.with_(graph=found_at_run_time(state.graph))


def found_at_run_time(graph: Graph) -> Graph:
    """Return the quantized graph with run-time scales; products of two activations become real."""
    static = _moved_inputs(graph)
    nodes: list[Node] = []
    tensors = {
        name: tensor if tensor.is_constant or name in static else replace(tensor, quant=None)
        for name, tensor in graph.tensors.items()
    }
    for node in graph.nodes:
        if OPS[node.op].work is not Work.GEMM or not graph.tensors[node.inputs[1]].is_constant:
            nodes.append(node)
            continue
        nodes += _product(graph, node, tensors, node.inputs[0] in static)
    return graph.with_changes(nodes=nodes, tensors=tensors.values())


def _moved_inputs(graph: Graph) -> set[str]:
    """Return the network's inputs and what moves make of them."""
    found = set(graph.inputs)
    for node in graph.nodes:
        if passes_grid(node) and node.inputs[0] in found:
            found |= set(node.outputs)
    return found - set(graph.outputs)


def _product(graph: Graph, node: Node, tensors: dict[str, Tensor], is_static: bool) -> list[Node]:
    """Return the operators that take the place of a product, and write their tensors."""
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    bias, low_high = bias_of(graph, node), node.clamp
    sums = Tensor(name=f"{y.name}.sums", shape=y.shape)
    tensors[sums.name] = sums
    if bias is not None:
        spread = _spread(bias, node, y)
        tensors[bias.name] = Tensor(name=bias.name, shape=spread.shape, data=spread)
    ifmap = x.name
    before: list[Node] = []
    scale = Tensor(name=f"{node.name}.one", shape=(1,), data=np.ones(1, dtype=np.float32))
    if not is_static:
        axis = 1 if node.op in ("Conv", "ConvTranspose") else len(x.shape) - 1
        codes, scale, before = _quantized(graph, node, x, axis)
        tensors[codes.name] = codes
        ifmap = codes.name
    tensors[scale.name] = scale
    product = replace(node, inputs=(ifmap, node.inputs[1]), outputs=(sums.name,)).with_attributes(clamp=(None, None))
    inputs = (sums.name, scale.name) if bias is None else (sums.name, scale.name, bias.name)
    finish = Node(
        name=f"{node.name}.rescale", op="Rescale", inputs=inputs, outputs=(y.name,), attributes={"clamp": low_high}
    )
    return [*before, product, finish]


def _quantized(graph: Graph, node: Node, x: Tensor, axis: int) -> tuple[Tensor, Tensor, list[Node]]:
    """Return codes and scale of the ifmap, and the operator that finds them."""
    producer = graph.producer_of.get(x.name)
    is_positive = producer is not None and producer.clamp[0] is not None and producer.clamp[0] >= 0
    assert x.quant is not None
    if not isinstance(x.quant.format, IntFormat):
        raise HwsimError(
            f"run-time scales: layer {node.name!r} reads {x.quant.format}, which has no scale to find; state integer "
            "activations, as uint8, or leave this step out"
        )
    number = IntFormat(bits=x.quant.format.bits, signed=not is_positive)
    codes = Tensor(name=f"{node.name}.codes", shape=x.shape, quant=QuantParams(format=number, scale=(1.0,)))
    shape = tuple(size if place < axis else 1 for place, size in enumerate(x.shape))
    scale = Tensor(name=f"{node.name}.scale", shape=shape)
    attributes = {"axis": axis, "format": str(number)}
    finder = Node(
        name=f"{node.name}.quantize",
        op="DynamicQuantize",
        inputs=(x.name,),
        outputs=(codes.name, scale.name),
        attributes=attributes,
    )
    return codes, scale, [finder]


def _spread(bias: Tensor, node: Node, y: Tensor) -> np.ndarray:
    """Return the real bias, as corrected, so that it broadcasts against the result: along channels of an image, else the last dimension."""
    flat = stood_for(bias).astype(np.float32).reshape(-1)
    return flat.reshape(-1, *(1,) * (len(y.shape) - 2)) if node.op in ("Conv", "ConvTranspose") else flat
