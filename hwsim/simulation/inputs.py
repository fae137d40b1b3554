"""From what a user hands over to chunks of images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.graph import Graph
from hwsim.graph.layouts import in_graph_layout

CHUNK_ELEMENTS = 1 << 20
LABELS = "labels"


def split_labels(
    graph: Graph, inputs: Mapping[str, np.ndarray], labels: np.ndarray | None
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the network's inputs in the graph's layout, and the labels, which may stand among them under ``labels``."""
    arrays = in_graph_layout(graph, inputs)
    if LABELS not in graph.inputs and LABELS in arrays:
        found = arrays.pop(LABELS)
        labels = found if labels is None else labels
    for name, array in (*arrays.items(), *(((LABELS, np.asarray(labels)),) if labels is not None else ())):
        if array.ndim == 0:
            raise ExecutionError(f"{graph.name}: {name!r} is a single number; dimension 0 must count the images")
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        raise ExecutionError(f"{graph.name}: inputs differ in their number of images: {counts}")
    if labels is not None and counts and len(labels) != next(iter(counts.values())):
        raise ExecutionError(
            f"{graph.name}: {len(labels)} labels for {next(iter(counts.values()))} images; give one each"
        )
    return arrays, labels


def chunks_of(graph: Graph, inputs: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Cut the images into chunks whose largest tensor stays near ``CHUNK_ELEMENTS`` elements.

    A chunk is a multiple of the graph's batch, except the last one; it is one batch where an operator takes the range of
    the whole batch.
    """
    largest = max(tensor.size for tensor in graph.tensors.values() if not tensor.is_constant)
    step = graph.batch * (1 if finds_ranges(graph) else max(1, CHUNK_ELEMENTS // largest))
    count = len(next(iter(inputs.values()))) if inputs else 0
    if count == 0:
        return [dict(inputs)]
    return [{name: array[start : start + step] for name, array in inputs.items()} for start in range(0, count, step)]


def finds_ranges(graph: Graph) -> bool:
    """Whether an operator takes the range of the whole batch, so that batches must not be computed together."""
    return any(node.op == "DynamicQuantizeLinear" for node in graph.nodes)


def check_reference(graph: Graph, reference: Graph) -> None:
    """Raise ExecutionError unless ``reference`` is a float network with the inputs and outputs of ``graph``."""
    if reference.is_quantized:
        raise ExecutionError(f"reference: {reference.name} has grids; give the float network that was quantized")
    for kind in ("inputs", "outputs"):
        wanted, found = (
            {name: list(one.tensors[name].shape) for name in getattr(one, kind)} for one in (graph, reference)
        )
        if wanted != found:
            raise ExecutionError(
                f"reference: {reference.name} must have the {kind} {wanted} of {graph.name}, not {found}; "
                "give the float network that was quantized"
            )
