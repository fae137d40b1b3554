"""The channel affine ``y = scale * x + shift``: recognized in BatchNormalization and in constant Mul, Add and Sub."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.graph import Graph, Node


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``y = scale * x + shift`` per channel; both float64 ``[channels]``."""

    scale: np.ndarray
    shift: np.ndarray

    def after(self, first: Affine) -> Affine:
        """Return the composition: ``first``, then this one."""
        return Affine(self.scale * first.scale, self.scale * first.shift + self.shift)


def affine_of(graph: Graph, node: Node) -> Affine | None:
    """Return the channel affine that ``node`` computes on its activation input, or None if it is none.

    The activation must be ``[batch, channels, height, width]`` or ``[batch, channels]``; constants may be scalars or
    have one value per channel.
    """
    activation = activation_of(graph, node)
    shape = graph.tensors[activation].shape if activation else ()
    if len(shape) not in (2, 4):
        return None
    channels = shape[1]
    if node.op == "BatchNormalization":
        gamma, beta, mean, variance = (_constant(graph, name) for name in node.inputs[1:5])
        if gamma is None or beta is None or mean is None or variance is None:
            return None
        scale = gamma / np.sqrt(variance + node.attributes["epsilon"])
        return Affine(scale, beta - mean * scale)
    if node.op not in ("Mul", "Add", "Sub") or len(node.inputs) != 2:
        return None
    constants = [name for name in node.inputs if graph.tensors[name].is_constant]
    if len(constants) != 1 or graph.tensors[node.outputs[0]].shape != shape:
        return None
    values = _per_channel(np.asarray(graph.tensors[constants[0]].data, dtype=np.float64), shape, channels)
    if values is None:
        return None
    if node.op == "Mul":
        return Affine(values, np.zeros(channels))
    if node.op == "Add":
        return Affine(np.ones(channels), values)
    if constants[0] == node.inputs[1]:
        return Affine(np.ones(channels), -values)
    return Affine(-np.ones(channels), values)


def activation_of(graph: Graph, node: Node) -> str | None:
    """Return the name of the single activation that ``node`` reads, or None if there is not exactly one."""
    names = [name for name in node.inputs if name and not graph.tensors[name].is_constant]
    return names[0] if len(names) == 1 else None


def _constant(graph: Graph, name: str) -> np.ndarray | None:
    data = graph.tensors[name].data
    return None if data is None else np.asarray(data, dtype=np.float64)


def _per_channel(values: np.ndarray, shape: tuple[int, ...], channels: int) -> np.ndarray | None:
    aligned = values.reshape((1,) * (len(shape) - values.ndim) + values.shape) if values.ndim <= len(shape) else None
    if aligned is None or any(size != 1 for axis, size in enumerate(aligned.shape) if axis != 1):
        return None
    return np.broadcast_to(aligned.reshape(-1), (channels,)).copy()
