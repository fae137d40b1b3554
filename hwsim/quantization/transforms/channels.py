"""Where the channels of an edge lie, and where an operator that only moves elements takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node

IMAGE_RANK = 4
_RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
_WINDOWS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "Resize")


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels along ``axis``, each a run of ``inner`` neighbouring elements (1 unless an image was flattened)."""

    axis: int
    inner: int = 1


def channels_of(graph: Graph, tensor: str, axis: int | None = None) -> Channels:
    """Return where the channels of ``tensor`` lie: axis 1 of ``[batch, channels, height, width]``, else the last axis.

    Raises:
        GraphError: a tensor that is no activation, an axis that it lacks, or the batch.
    """
    if tensor not in graph.tensors or graph.tensors[tensor].is_constant:
        raise GraphError(f"{graph.name}: {tensor!r} is no activation; an edge is named by its tensor")
    rank = len(graph.tensors[tensor].shape)
    chosen = (1 if rank == IMAGE_RANK else rank - 1) if axis is None else axis
    if not 0 < chosen < rank:
        raise GraphError(
            f"tensor {tensor!r} of shape {list(graph.tensors[tensor].shape)} has no channels on axis {chosen}"
        )
    return Channels(chosen)


def moved(graph: Graph, node: Node, source: str, target: str, channels: Channels) -> Channels | None:
    """Return where the channels of ``source`` lie in ``target``, on the other side of ``node``; None where they are cut or mixed.

    It works both ways: ``source`` may be the operand or the result of ``node``.
    """
    before, after = graph.tensors[source].shape, graph.tensors[target].shape
    axis, backwards = channels.axis, source in node.outputs
    if node.op in _RESHAPES:
        return _reshaped(channels, before, after)
    if node.op == "Transpose":
        order = tuple(node.attributes["permutation"])
        return replace(channels, axis=order[axis] if backwards else order.index(axis))
    if node.op == "ReduceMean":
        return _reduced(node, channels, len(after if backwards else before), backwards=backwards)
    if node.op in _WINDOWS:
        return channels if axis == 1 else None
    if node.op == "Pad":
        return channels if tuple(node.attributes["pads"][axis]) == (0, 0) else None
    if node.op == "Slice":
        return None if axis in node.attributes["axes"] else channels
    if node.op in ("Split", "Concat"):
        return None if axis == node.attributes["axis"] else channels
    return channels if before == after else None


def _reduced(node: Node, channels: Channels, rank: int, *, backwards: bool) -> Channels | None:
    gone = sorted(axis % rank for axis in node.attributes["axes"])
    if node.attributes["keepdims"]:
        return None if channels.axis in gone else channels
    left = [axis for axis in range(rank) if axis not in gone]
    if backwards:
        return replace(channels, axis=left[channels.axis])
    return replace(channels, axis=left.index(channels.axis)) if channels.axis in left else None


def _reshaped(channels: Channels, before: tuple[int, ...], after: tuple[int, ...]) -> Channels | None:
    """A channel keeps its axis, merges with all or some of what follows, or splits again into what was merged."""
    size, outer = before[channels.axis], prod(before[: channels.axis])
    places = [axis for axis in range(1, len(after)) if prod(after[:axis]) == outer]
    for axis in sorted(places, key=lambda place: after[place] != size):
        if after[axis] % size == 0:
            return Channels(axis, channels.inner * (after[axis] // size))
        if size % after[axis] == 0 and channels.inner % (size // after[axis]) == 0:
            return Channels(axis, channels.inner // (size // after[axis]))
    return None
