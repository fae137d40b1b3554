"""How a change of its operand or result goes into an operator's constants."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node
from hwsim.quantization.transforms.channels import Channels
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.rules import GEMMS, adder_of, constant_operand, is_depthwise


def change_result(draft: Draft, name: str, change: EdgeTransform, channels: Channels) -> None:
    """Make the result of node ``name`` come out changed: ``W' = W / scale``, ``b' = (b - shift) / scale`` of every channel.

    ``change`` has one value per element along the channel axis. What is known of the distribution of the result before
    its clamp (attribute ``normal``) changes with it.
    """
    node = draft.nodes[name]
    if node.op in GEMMS:
        draft.operand(name, 1, lambda weight: _of_weight_rows(node, weight, change))
        if node.op != "MatMul":
            draft.bias(name, change.channels, change.apply)
    elif node.op == "LayerNormalization":
        draft.operand(name, 1, lambda gamma: np.broadcast_to(gamma, (change.channels,)) / change.scale)
        draft.bias(name, change.channels, change.apply)
    else:
        _change_operand(draft, node, change, channels, sign=1)
    _change_normal(draft, name, change)


def change_operand(draft: Draft, name: str, change: EdgeTransform, channels: Channels) -> None:
    """Make node ``name`` undo a change of its operand: ``W' = W * scale`` along k, ``b' = b + W @ shift``."""
    node = draft.nodes[name]
    if node.op not in GEMMS:
        _change_operand(draft, node, change, channels, sign=-1)
        return
    weight = draft.data(node.inputs[1])
    if change.shift.any():
        added = _of_bias(node, weight, change.shift)
        if node.op == "MatMul":
            adder = adder_of(draft.graph, node)
            assert adder is not None
            place = constant_operand(draft.graph, adder)
            assert place is not None
            draft.operand(adder.name, place, lambda constant: constant + added)
        else:
            draft.bias(name, added.size, lambda bias: bias + added)
    draft.put(node.inputs[1], _of_weight_columns(node, weight, change))


def change_passing(draft: Draft, name: str, change: EdgeTransform, channels: Channels) -> None:
    """Change the constants of node ``name``, which reads and gives changed tensors: addends, depthwise weights, norm parameters."""
    node = draft.nodes[name]
    if node.op == "LayerNormalization" or (node.op in GEMMS and is_depthwise(draft.graph, node)):
        for index, operand in enumerate(node.inputs[1:], start=1):
            if operand:
                draft.operand(name, index, lambda data: _wide(data, change.channels)[change.permutation])
        _change_normal(draft, name, change)
        return
    place = constant_operand(draft.graph, node)
    if place is None:
        return
    axis = channels.axis - len(draft.graph.tensors[node.outputs[0]].shape)

    def changed(data: np.ndarray) -> np.ndarray:
        aligned = _aligned(data, axis)
        ordered = aligned if aligned.shape[axis] == 1 else np.take(aligned, change.permutation, axis=axis)
        return ordered if node.op == "Mul" else ordered / _along(change.scale, axis)

    draft.operand(name, place, changed)


def _change_operand(draft: Draft, node: Node, change: EdgeTransform, channels: Channels, *, sign: int) -> None:
    """Take a shift into an addend and a scale into a factor: of the result (sign 1), or undone for the operand (sign -1)."""
    place = constant_operand(draft.graph, node)
    assert place is not None
    axis = channels.axis - len(draft.graph.tensors[node.outputs[0]].shape)
    scale, shift = _along(change.scale, axis), _along(change.shift, axis)
    if node.op == "Mul":
        draft.operand(node.name, place, lambda data: data * scale**-sign)
        return
    # x - c is the one result from which more must be subtracted, x + c the one operand to which the shift comes back
    grows = (node.op, place) == ("Sub", 1) if sign == 1 else node.op == "Add"
    draft.operand(node.name, place, lambda data: data + shift if grows else data - shift)


def _of_weight_rows(node: Node, weight: np.ndarray, change: EdgeTransform) -> np.ndarray:
    """Return the weight with its output channels reordered and divided by their scales."""
    if node.op == "Conv":
        rows: np.ndarray = weight[change.permutation] / change.scale.reshape(-1, 1, 1, 1)
        return rows
    if node.op == "ConvTranspose":
        groups = node.attributes["groups"]
        ordered = weight[:, change.permutation] if groups == 1 else weight
        scales = np.repeat(change.scale.reshape(groups, -1), weight.shape[0] // groups, axis=0)
        return np.asarray(ordered / scales[:, :, None, None])
    return np.asarray(weight[..., change.permutation] / change.scale)


def _of_weight_columns(node: Node, weight: np.ndarray, change: EdgeTransform) -> np.ndarray:
    """Return the weight with its input channels reordered and multiplied by their scales."""
    if node.op == "Conv":
        groups = node.attributes["groups"]
        ordered = weight[:, change.permutation] if groups == 1 else weight
        return np.asarray(ordered * _per_filter(node, weight, change.scale)[:, :, None, None])
    if node.op == "ConvTranspose":
        ordered = weight[change.permutation] if node.attributes["groups"] == 1 else weight
        return np.asarray(ordered * change.scale.reshape(-1, 1, 1, 1))
    return np.asarray(weight[..., change.permutation, :] * change.scale[:, None])


def _of_bias(node: Node, weight: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return what a constant operand ``shift`` adds to every output channel, ``[out_channels]``."""
    if node.op == "Conv":
        return np.asarray((weight.sum(axis=(2, 3)) * _per_filter(node, weight, shift)).sum(axis=1))
    return np.asarray(shift @ weight)


def _per_filter(node: Node, weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return a value per input channel of a convolution as ``[out_channels, in_channels / groups]``."""
    groups = node.attributes["groups"]
    return np.repeat(values.reshape(groups, -1), weight.shape[0] // groups, axis=0)


def _change_normal(draft: Draft, name: str, change: EdgeTransform) -> None:
    known = draft.nodes[name].attributes.get("normal")
    if known is None:
        return
    mean, deviation = (np.asarray(part, dtype=np.float64) for part in known)
    moved = change.apply(mean), deviation[change.permutation] / change.scale
    draft.nodes[name] = draft.nodes[name].with_attributes(normal=tuple(tuple(map(float, part)) for part in moved))


def _aligned(data: np.ndarray, axis: int) -> np.ndarray:
    """Return a constant with enough leading axes for ``axis``, which counts from the end."""
    return data.reshape((1,) * max(0, -axis - data.ndim) + data.shape)


def _along(values: np.ndarray, axis: int) -> np.ndarray:
    return values.reshape(-1, *(1,) * (-axis - 1))


def _wide(data: np.ndarray, channels: int) -> np.ndarray:
    return np.broadcast_to(data.reshape(-1), (channels,)) if data.size == 1 else data
