"""From a complete draft to a Graph: drop what nobody reads, convert weights, give the outputs their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.reading.batch import Shape
from hwsim.interchange.reading.coded import put_inputs_on_grids
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import codes_of


def finish(draft: Draft, name: str, batch: int, outputs: Sequence[str]) -> Graph:
    """Return the Graph of ``draft`` for ``batch``; raise GraphError on weights that are not finite."""
    put_inputs_on_grids(draft, outputs)
    nodes = _live(_with_outputs(draft, outputs), outputs)
    shapes = draft.shapes if batch == draft.batch else draft.probes
    if draft.fixed_by:
        draft.notes[
            f"node {draft.fixed_by!r} holds only for a batch of {batch}: execute the network with that batch"
        ] = None
    tensors = {tensor: _activation(draft, tensor, shapes) for tensor in draft.inputs}
    converted: dict[str, list[str]] = {}
    for node in nodes:
        for index, tensor in enumerate(node.inputs):
            if tensor in draft.constants and tensor in draft.grids:
                tensors[tensor] = _coded(draft, tensor)
            elif tensor in draft.constants and tensor not in tensors:
                data = draft.constants[tensor]
                indices = node.op == "Gather" and index == 1
                if not indices and data.dtype != np.float32:
                    converted.setdefault(data.dtype.name, []).append(tensor)
                tensors[tensor] = _constant(draft, tensor, data, np.dtype(np.int64 if indices else np.float32))
        for tensor in node.outputs:
            tensors[tensor] = _activation(draft, tensor, shapes)
    notes = [*draft.notes]
    for dtype, names in converted.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        notes.append(f"constant {names[0]!r}{more} converted from {dtype} to float32")
    return Graph(
        name=name, nodes=tuple(nodes), tensors=tensors, inputs=draft.inputs, outputs=tuple(outputs), notes=tuple(notes),
        code_inputs=draft.code_inputs,
    )  # fmt: skip


def _activation(draft: Draft, name: str, shapes: Mapping[str, Shape]) -> Tensor:
    return Tensor(name=name, shape=shapes[name], quant=draft.grids.get(name))


def _coded(draft: Draft, name: str) -> Tensor:
    grid = draft.grids[name]
    tensor = Tensor.of_codes(name, codes_of(draft.constants[name], grid.format), grid)
    assert tensor.codes is not None
    found = tensor.codes, _finite(draft, name, np.asarray(tensor.data))
    codes, data = (np.asarray(array).view() for array in found)  # arithmetic on a single number leaves no array
    codes.flags.writeable = data.flags.writeable = False
    return replace(tensor, codes=codes, data=data)


def _constant(draft: Draft, name: str, data: np.ndarray, dtype: np.dtype) -> Tensor:
    with np.errstate(over="ignore"):
        value = data.astype(dtype, copy=False)
    value = np.asarray(_finite(draft, name, value)).view()
    value.flags.writeable = False
    return Tensor(name=name, shape=value.shape, data=value)


def _finite(draft: Draft, name: str, value: np.ndarray) -> np.ndarray:
    if value.dtype == np.float32 and not np.isfinite(value).all():
        nans, infinities = int(np.isnan(value).sum()), int(np.isinf(value).sum())
        raise GraphError(
            f"{draft.where}: constant {name!r} holds {nans} NaN and {infinities} infinite values among {value.size}; "
            "weights must be finite: train or export the model again (an attention mask may use -20: a wider one would swallow the grid of the scores)"
        )
    return value


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
                source = draft.add_constant(f"{output}.value", constant, draft.grids.pop(output, None))
            draft.emit("Identity", f"Identity_{output}", [source], [output])
        else:
            names[source] = output
            draft.shapes[output], draft.probes[output] = draft.shapes[source], draft.probes[source]
            if source in draft.grids:
                draft.grids[output] = draft.grids[source]
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
