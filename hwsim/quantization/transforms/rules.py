"""What every operator can do with a change of its operand or result: take it into its constants, hand it on, or neither.

The three kinds of change have rules of their own. A clamp commutes with a scale only where its ends are 0 or open: a
clamp per channel does not exist in hardware. A zero pad commutes with a scale, not with a shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hwsim.graph import OPS, Graph, Node, Work
from hwsim.quantization.transforms.channels import Channels

GEMMS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_ANY = ("Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Resize")
_MEANS = ("MaxPool", "GlobalMaxPool", "GlobalAveragePool", "ReduceMean")
_ELEMENTWISE = (
    "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Gelu", "Erf", "Sqrt", "Exp", "Relu", "LeakyRelu", "Clip", "Neg",
)  # fmt: skip


class Kind(StrEnum):
    """What changes of an edge's channels."""

    PERMUTE = "permute"
    SHIFT = "shift"
    SCALE = "scale"


class Role(StrEnum):
    """What an operator does about a change of an edge."""

    ABSORBS = "absorbs"
    PASSES = "passes"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a change may go.

    Args:
        ties: through sums and concatenations: all branches take the same change.
        past_relu: a shift is taken into the bias before a ReLU. It is exact only where the shifted result is not negative.
        past_padding: a shift is taken into the bias of a convolution that pads with zeros. It is exact only off the border.
    """

    ties: bool = False
    past_relu: bool = False
    past_padding: bool = False


EXACT = Reach()


@dataclass(frozen=True, slots=True)
class Verdict:
    """An operator's role, and why where it blocks."""

    role: Role
    reason: str = ""


_ABSORBS, _PASSES = Verdict(Role.ABSORBS), Verdict(Role.PASSES)


def _blocks(reason: str) -> Verdict:
    return Verdict(Role.BLOCKS, reason)


def as_producer(graph: Graph, node: Node, tensor: str, channels: Channels, kind: Kind, reach: Reach) -> Verdict:
    """Return what ``node`` does about a change of its result ``tensor``."""
    low, high = node.clamp
    if kind is Kind.SCALE and not _is_homogeneous(low, high):
        return _blocks(f"the clamp to {low}..{high} is one for all channels")
    is_allowed = reach.past_relu and node.op in GEMMS and (low, high) == (0, None)
    if kind is Kind.SHIFT and (low, high) != (None, None) and not is_allowed:
        return _blocks("a shift does not commute with the clamp")
    if node.op in GEMMS:
        return _of_gemm(graph, node, channels, len(graph.tensors[tensor].shape), kind, is_result=True)
    if node.op == "LayerNormalization":
        return _of_normalization(graph, node, channels, kind, is_result=True)
    return _of_other(graph, node, kind, reach)


def as_reader(graph: Graph, node: Node, tensor: str, channels: Channels, kind: Kind, reach: Reach) -> Verdict:
    """Return what ``node`` does about a change of its operand ``tensor``."""
    if node.op in GEMMS:
        if node.inputs[0] != tensor or tensor in node.inputs[1:]:
            return _blocks("it is the second operand of a product")
        verdict = _of_gemm(graph, node, channels, len(graph.tensors[tensor].shape), kind, is_result=False)
        pads = node.attributes.get("pads", ())
        if kind is Kind.SHIFT and verdict.role is Role.ABSORBS and any(pads) and not reach.past_padding:
            return _blocks("the convolution pads with zeros, which would need the shift too")
        return verdict
    if node.op == "LayerNormalization":
        return _of_normalization(graph, node, channels, kind, is_result=False)
    low, high = node.clamp
    if kind is Kind.SCALE and not _is_homogeneous(low, high) and not _is_constant_product(graph, node):
        return _blocks(f"the clamp to {low}..{high} is one for all channels")
    verdict = _of_other(graph, node, kind, reach)
    if kind is Kind.SHIFT and verdict.role is Role.PASSES and (low, high) != (None, None):
        return _blocks("a shift does not commute with the clamp")
    return verdict


def constant_operand(graph: Graph, node: Node) -> int | None:
    """Return the place of the constant of an elementwise operator that has one activation, which gives the result its shape."""
    if len(node.inputs) != 2:
        return None
    constant = [graph.tensors[name].is_constant for name in node.inputs]
    if constant.count(True) != 1:
        return None
    place = constant.index(True)
    same = graph.tensors[node.inputs[1 - place]].shape == graph.tensors[node.outputs[0]].shape
    return place if same else None


def is_depthwise(graph: Graph, node: Node) -> bool:
    """Whether every output channel of a convolution is made of the one input channel of the same number."""
    groups = node.attributes.get("groups", 1)
    shape = graph.tensors[node.inputs[1]].shape
    return groups > 1 and shape[:2] == (groups, 1)


def adder_of(graph: Graph, node: Node) -> Node | None:
    """Return the addition of a constant in which the bias of a MatMul lies: the only reader of its result."""
    output = node.outputs[0]
    readers = graph.consumers_of[output]
    if output in graph.outputs or len(readers) != 1 or node.clamp != (None, None):
        return None
    return readers[0] if readers[0].op == "Add" and constant_operand(graph, readers[0]) is not None else None


def _of_gemm(graph: Graph, node: Node, channels: Channels, rank: int, kind: Kind, *, is_result: bool) -> Verdict:
    rest = [graph.tensors[name] for name in node.inputs[1:] if name]
    if not all(tensor.is_constant for tensor in rest):
        return _blocks("its weight or bias is no constant")
    matrix = node.op in ("Gemm", "MatMul")
    if channels.axis != (rank - 1 if matrix else 1) or (matrix and len(rest[0].shape) < 2):
        return _blocks("the channels do not run along its products")
    if kind is Kind.PERMUTE and node.attributes.get("groups", 1) > 1:
        return _PASSES if is_depthwise(graph, node) else _blocks("a permutation would mix its groups")
    if kind is Kind.SHIFT and node.op == "MatMul" and (is_result or adder_of(graph, node) is None):
        return _blocks("a MatMul has no bias")
    if kind is Kind.SHIFT and node.op == "ConvTranspose" and not is_result:
        return _blocks("a transposed convolution adds a shift unevenly")
    return _ABSORBS


def _of_normalization(graph: Graph, node: Node, channels: Channels, kind: Kind, *, is_result: bool) -> Verdict:
    rank = len(graph.tensors[node.outputs[0]].shape)
    constant = all(graph.tensors[name].is_constant for name in node.inputs[1:] if name)
    if not constant or channels.axis != rank - 1 or node.attributes["axis"] % rank != rank - 1:
        return _blocks("it does not normalize over these channels alone")
    if kind is Kind.PERMUTE:
        return _PASSES
    return _ABSORBS if is_result else _blocks("it normalizes over the channels")


def _of_other(graph: Graph, node: Node, kind: Kind, reach: Reach) -> Verdict:
    place = constant_operand(graph, node)
    if node.op in ("Add", "Sub") and place is not None:
        return _ABSORBS if kind is Kind.SHIFT else _PASSES
    if node.op == "Mul" and place is not None:
        return {Kind.SCALE: _ABSORBS, Kind.PERMUTE: _PASSES, Kind.SHIFT: _blocks("it is multiplied")}[kind]
    if node.op in ("Add", "Sub", "Sum", "Concat") and not any(graph.tensors[n].is_constant for n in node.inputs):
        if kind is Kind.SHIFT:
            return _blocks("branches would add their shifts")
        return _PASSES if reach.ties else _blocks("all its branches would need the same change")
    if node.op in _ANY or node.op in _MEANS:
        return _PASSES
    if node.op == "AveragePool":
        counts_zeros = any(node.attributes["pads"]) and node.attributes["count_include_pad"]
        return _blocks("its mean counts zero pads") if kind is Kind.SHIFT and counts_zeros else _PASSES
    if node.op == "Pad":
        pads_zero = node.attributes["mode"] != "constant" or node.attributes["value"] == 0
        if kind is Kind.PERMUTE or (kind is Kind.SCALE and pads_zero) or node.attributes["mode"] != "constant":
            return _PASSES
        return _blocks("the pad value is one for all channels")
    if node.op in _ELEMENTWISE:
        return (
            _PASSES
            if kind is Kind.PERMUTE or (kind is Kind.SCALE and _is_scalable(node))
            else _blocks(f"{node.op} does not commute with a {kind}")
        )
    work = "a product of activations" if OPS[node.op].work is Work.GEMM or node.op == "Mul" else node.op
    return _blocks(f"{work} does not commute with a {kind}")


def _is_scalable(node: Node) -> bool:
    if node.op == "Clip":
        return _is_homogeneous(node.attributes["minimum"], node.attributes["maximum"])
    return node.op in ("Relu", "LeakyRelu", "Neg")


def _is_homogeneous(low: float | None, high: float | None) -> bool:
    return low in (None, 0) and high in (None, 0)


def _is_constant_product(graph: Graph, node: Node) -> bool:
    return node.op == "Mul" and constant_operand(graph, node) is not None
