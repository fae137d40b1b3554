"""What meets in the array of a layer whose weights are constant: columns of weights, activations, what registers start at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.graph import Graph, Node
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import Format, IntFormat, operand_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Operands:
    """The operands of one layer as they enter the multiplier.

    Args:
        activation: format of the activations.
        weight: format of the weights.
        a_range: smallest and largest activation.
        columns: int64 ``[k, outputs]`` in the array's order of k; None where the network computes them.
        start: int64 ``[outputs]``: what the accumulators hold at first; None where the activations are not calibrated yet
            or find their zero point at run time, so that what is preloaded is not known.
    """

    activation: IntFormat
    weight: IntFormat
    a_range: tuple[int, int]
    columns: np.ndarray | None
    start: np.ndarray | None


def operands_of(graph: Graph, node: Node, mapping: Mapping, datapath: Datapath) -> Operands | None:
    """Return the operands of an array layer; None where it has no grids, or those of constant weights no scale yet."""
    ifmap, weight = (graph.tensors[node.inputs[index]].quant for index in (0, 1))
    constant = graph.tensors[node.inputs[1]]
    data = constant.data
    if ifmap is None or weight is None or (data is not None and not weight.is_calibrated):
        return None
    is_centred = datapath.zero_point == "subtracted"
    activation = _centred(ifmap.format, is_centred and mapping.gemm.ifmap_asymmetric)
    number = _centred(weight.format, is_centred and not weight.is_symmetric)
    low, high = ifmap.format.operand_range
    if is_centred and ifmap.is_calibrated:
        low, high = low - ifmap.zero_point[0], high - ifmap.zero_point[0]
    elif is_centred and mapping.gemm.ifmap_asymmetric:
        low, high = low - high, high - low  # whatever the zero point will be
    if data is None:
        folds = datapath.zero_point == "folded" and not (ifmap.is_calibrated and ifmap.is_symmetric)
        start = None if folds and datapath.bias == "start" else np.zeros(1, np.int64)
        return Operands(activation=activation, weight=number, a_range=(low, high), columns=None, start=start)
    codes = weight.format.operands(constant.encoded()).astype(np.int64)
    zeros = np.broadcast_to(weight.granularity.spread(weight.zero_points(), codes.shape), codes.shape)
    columns, offsets = (_columns(node, array, mapping.gemm.k) for array in (codes, zeros))
    start = _start(graph, node, datapath, columns - offsets)
    if is_centred:
        columns = columns - offsets
    if mapping.k_permutation is not None:
        columns = columns[mapping.k_permutation]
    return Operands(activation=activation, weight=number, a_range=(low, high), columns=columns, start=start)


def _start(graph: Graph, node: Node, datapath: Datapath, centred: np.ndarray) -> np.ndarray | None:
    """Return what is preloaded: the bias, and what the folded zero point of the ifmap adds to it."""
    start = np.zeros(centred.shape[1], np.int64)
    if datapath.bias == "end":
        return start
    ifmap = graph.tensors[node.inputs[0]].quant
    if ifmap is None or not ifmap.is_calibrated:
        return None
    if datapath.zero_point == "folded":
        start -= ifmap.zero_point[0] * centred.sum(axis=0)
    bias = graph.tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None
    if bias is None:
        return start
    if bias.data is None or bias.quant is None or not bias.quant.is_calibrated:
        return None
    return start + bias.encoded().astype(np.int64).reshape(-1)


def _centred(number: Format, has_zero_point: bool) -> IntFormat:
    """Return the format of the operands, minus a zero point where the grid has one: signed, one bit wider."""
    plain = operand_format(number)
    return IntFormat(bits=plain.bits + 1) if has_zero_point else plain


def _columns(node: Node, codes: np.ndarray, k: int) -> np.ndarray:
    """Return the weights as ``[k, outputs]`` in ONNX order of k."""
    if node.op == "Conv":
        return codes.reshape(-1, k).T
    if node.op == "ConvTranspose":
        groups = node.attributes["groups"]
        flipped = codes[:, :, ::-1, ::-1].reshape(groups, codes.shape[0] // groups, codes.shape[1], -1)
        return flipped.transpose(1, 3, 0, 2).reshape(k, -1)
    return codes.reshape(-1, *codes.shape[-2:]).transpose(1, 0, 2).reshape(k, -1)
