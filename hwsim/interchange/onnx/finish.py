"""From a complete draft to a Graph: drop what nobody reads, convert weights, give the outputs their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.onnx.draft import Draft


def finish(draft: Draft, name: str, batch: int, outputs: Sequence[str]) -> Graph:
    """Return the Graph of ``draft`` for ``batch``; raise GraphError on weights that are not finite."""
    nodes = _live(_with_outputs(draft, outputs), outputs)
    shapes = draft.shapes if batch == draft.batch else draft.probes
    if draft.fixed_by:
        draft.notes[
            f"node {draft.fixed_by!r} holds only for a batch of {batch}: execute the network with that batch"
        ] = None
    tensors = {tensor: Tensor(name=tensor, shape=shapes[tensor]) for tensor in draft.inputs}
    converted: dict[str, list[str]] = {}
    for node in nodes:
        for index, tensor in enumerate(node.inputs):
            if tensor in draft.constants and tensor not in tensors:
                data = draft.constants[tensor]
                indices = node.op == "Gather" and index == 1
                if not indices and data.dtype != np.float32:
                    converted.setdefault(data.dtype.name, []).append(tensor)
                tensors[tensor] = _constant(draft, tensor, data, np.dtype(np.int64 if indices else np.float32))
        for tensor in node.outputs:
            tensors[tensor] = Tensor(name=tensor, shape=shapes[tensor])
    notes = [*draft.notes]
    for dtype, names in converted.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        notes.append(f"constant {names[0]!r}{more} converted from {dtype} to float32")
    return Graph(
        name=name, nodes=tuple(nodes), tensors=tensors, inputs=draft.inputs, outputs=tuple(outputs), notes=tuple(notes)
    )


def _constant(draft: Draft, name: str, data: np.ndarray, dtype: np.dtype) -> Tensor:
    with np.errstate(over="ignore"):
        value = data.astype(dtype, copy=False)
    if dtype == np.float32 and not np.isfinite(value).all():
        nans, infinities = int(np.isnan(value).sum()), int(np.isinf(value).sum())
        raise GraphError(
            f"{draft.where}: constant {name!r} holds {nans} NaN and {infinities} infinite values among {value.size}; "
            "weights must be finite: train or export the model again (an attention mask may use -20: a wider one would swallow the grid of the scores)"
        )
    value = value.view()
    value.flags.writeable = False
    return Tensor(name=name, shape=value.shape, data=value)


def _with_outputs(draft: Draft, outputs: Sequence[str]) -> list[Node]:
    """Let each result have the name that the file gives it, though its identity was removed."""
    names: dict[str, str] = {}
    for output in outputs:
        source = draft.resolve(output)
        if source == output and source not in draft.constants:
            continue
        fixed = source in draft.constants or source in draft.inputs or source in outputs or source in names
        if fixed:
            constant = draft.constants.pop(output, None)
            if constant is not None:
                source = draft.add_constant(f"{output}.value", constant)
            draft.emit("Identity", f"Identity_{output}", [source], [output])
        else:
            names[source] = output
            draft.shapes[output], draft.probes[output] = draft.shapes[source], draft.probes[source]
    return [
        replace(
            node,
            inputs=tuple(names.get(tensor, tensor) for tensor in node.inputs),
            outputs=tuple(names.get(tensor, tensor) for tensor in node.outputs),
        )
        for node in draft.nodes
    ]


def _live(nodes: Sequence[Node], outputs: Sequence[str]) -> list[Node]:
    """Return the nodes that a result depends on."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]
