"""Put a transform on an edge of a float graph, whose function stays: into constants where they are, else as a vector operation.

Producers divide their weights by the scale, readers multiply theirs. Where an operator can do neither, the edge keeps
its tensor and an explicit Gather, Add or Mul stands between it and the transformed one: hardware pays for it, and the cost
model and the executor see it like any other operator.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node
from hwsim.quantization.transforms.channels import Channels, channels_of
from hwsim.quantization.transforms.constants import change_operand, change_passing, change_result
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.region import Region, region_of
from hwsim.quantization.transforms.rules import EXACT, Kind, Reach

_WORDS = {Kind.PERMUTE: "permuted", Kind.SHIFT: "shifted", Kind.SCALE: "scaled"}


def absorb(
    graph: Graph,
    edge: str,
    transform: EdgeTransform,
    *,
    axis: int | None = None,
    reach: Reach = EXACT,
    explicit: bool = True,
) -> Graph:
    """Return a graph of the same float function in which ``edge`` carries ``transform``.

    The permutation, the shift and the scale are absorbed one after the other, each as far as it can be. The transformed
    tensor keeps the name of the edge unless somebody needs both: then ``edge`` is the tensor as it was, and
    ``edge.permuted``, ``edge.shifted`` or ``edge.scaled`` the transformed one.

    Args:
        graph: without grids, prepared or not.
        edge: an activation.
        transform: one value per channel.
        axis: of the channels: 1 of an image, else the last one.
        reach: how far it may go; the default keeps the function exactly (up to rounding).
        explicit: whether vector operations may be left.

    Raises:
        GraphError: no such edge; another number of channels; nothing absorbs it; something blocks and ``explicit`` is False.
    """
    channels = channels_of(graph, edge, axis)
    count = graph.tensors[edge].shape[channels.axis]
    if transform.channels != count:
        raise GraphError(f"tensor {edge!r} has {count} channels, not the {transform.channels} of the transform")
    draft = Draft(graph)
    for kind, part in zip((Kind.PERMUTE, Kind.SHIFT, Kind.SCALE), transform.parts(), strict=True):
        if _is_identity(part):
            continue
        current = draft.finish()
        region = region_of(current, edge, kind, axis=axis, reach=reach)
        if not (region.producers or region.readers):
            raise GraphError(f"{graph.name}: nothing can absorb a {kind} of {edge!r}: {'; '.join(region.reasons)}")
        if not (explicit or region.is_free):
            raise GraphError(
                f"{graph.name}: a {kind} of {edge!r} would leave an operation: {'; '.join(region.reasons)}"
            )
        draft = Draft(current)
        names = apply(draft, region, part)
        edge = names.get(edge, edge)
    return draft.finish()


def apply(draft: Draft, region: Region, change: EdgeTransform) -> dict[str, str]:
    """Change every tensor of ``region``, whose kind is that of ``change``; return new names of tensors that others need as they were."""
    wide = {channels.inner: change.repeated(channels.inner) for channels in region.tensors.values()}

    def part(tensor: str) -> tuple[EdgeTransform, Channels]:
        channels = region.tensors[tensor]
        return wide[channels.inner], channels

    for node, tensor in region.producers:
        change_result(draft, node, *part(tensor))
    for node, tensor in region.readers:
        change_operand(draft, node, *part(tensor))
    for node in region.passing:
        change_passing(draft, node, *part(draft.nodes[node].outputs[0]))
    kept = dict.fromkeys((*region.blocked_producers, *(tensor for tensor, _ in region.blocked_readers)))
    return {tensor: _split(draft, region, tensor, *part(tensor)) for tensor in kept}


def _split(draft: Draft, region: Region, tensor: str, change: EdgeTransform, channels: Channels) -> str:
    """Keep ``tensor`` as it was beside the changed one, whose name is returned; an operation leads from one to the other."""
    changed = draft.unused(f"{tensor}.{_WORDS[region.kind]}")
    draft.shapes[changed] = draft.graph.tensors[tensor].shape
    backwards = tensor not in region.blocked_producers
    if backwards:
        producer = draft.graph.producer_of[tensor].name
        outputs = tuple(changed if name == tensor else name for name in draft.nodes[producer].outputs)
        draft.nodes[producer] = replace(draft.nodes[producer], outputs=outputs)
    for reader in draft.graph.consumers_of[tensor]:
        if (tensor, reader.name) not in region.blocked_readers:
            inputs = tuple(changed if name == tensor else name for name in draft.nodes[reader.name].inputs)
            draft.nodes[reader.name] = replace(draft.nodes[reader.name], inputs=inputs)
    source, target = (changed, tensor) if backwards else (tensor, changed)
    name = draft.unused(f"{tensor}.{'undo_' if backwards else ''}{region.kind}")
    _operation(draft, name, region.kind, source, target, change.inverse() if backwards else change, channels.axis)
    return changed


def _operation(draft: Draft, name: str, kind: Kind, source: str, target: str, change: EdgeTransform, axis: int) -> None:
    """Add the vector operation that computes ``target`` of ``source``."""
    rank = len(draft.graph.tensors[source if source in draft.graph.tensors else target].shape)
    operand = draft.unused(f"{name}.operand")
    if kind is Kind.PERMUTE:
        draft.put(operand, change.permutation.astype(np.int64))
        node = Node(name=name, op="Gather", inputs=(source, operand), outputs=(target,), attributes={"axis": axis})
    else:
        values = -change.shift if kind is Kind.SHIFT else 1 / change.scale
        draft.put(operand, values.reshape(-1, *(1,) * (rank - axis - 1)))
        op = "Add" if kind is Kind.SHIFT else "Mul"
        node = Node(name=name, op=op, inputs=(source, operand), outputs=(target,))
    draft.nodes[name] = node


def _is_identity(part: EdgeTransform) -> bool:
    is_ordered = (part.permutation == np.arange(part.channels)).all()
    return bool(is_ordered and (part.shift == 0).all() and (part.scale == 1).all())
