"""Run a graph in float32."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from hwsim.errors import ExecutionError, did_you_mean
from hwsim.execute.float32.activation import clamp
from hwsim.execute.float32.inputs import checked_inputs
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.graph import Graph, Node


def run_float(
    graph: Graph,
    inputs: Mapping[str, np.ndarray],
    *,
    keep: Iterable[str] | None = None,
    observe: Callable[[str, np.ndarray], None] | None = None,
) -> dict[str, np.ndarray]:
    """Return the results of ``graph`` in float32.

    Args:
        graph: the network; grids on its tensors are ignored.
        inputs: one array per input name; dimension 0 may differ from the graph's batch.
        keep: names of further tensors to return.
        observe: called with the name and value of every input and of every computed tensor as it is produced; it must
            not change the value.

    Returns:
        The outputs, and the kept tensors, by name.

    Raises:
        ExecutionError: the inputs do not fit the graph (see ``checked_inputs``), or a node fails on their shapes.
    """
    values = checked_inputs(graph, inputs)
    wanted = [*graph.outputs, *(keep or ())]
    for name in wanted:
        if name not in graph.tensors:
            raise ExecutionError(
                f"{graph.name}: there is no tensor {name!r} to keep{did_you_mean(name, graph.tensors)}"
            )
    readers = Counter(name for node in graph.nodes for name in node.inputs)
    readers.update(wanted)
    if observe is not None:
        for name, value in values.items():
            observe(name, value)
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            for name, value in zip(node.outputs, _run_node(graph, node, values), strict=True):
                values[name] = value
                if observe is not None:
                    observe(name, value)
            readers.subtract(node.inputs)
            for name in (*node.inputs, *node.outputs):
                if not readers[name]:
                    values.pop(name, None)
    return {name: _value(graph, values, name) for name in wanted}


def _value(graph: Graph, values: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    data = graph.tensors[name].data
    return values[name] if data is None else data


def _run_node(graph: Graph, node: Node, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    operands = [_value(graph, values, name) for name in node.inputs]
    try:
        results = FLOAT_OPS[node.op](node, operands)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(f"{name!r} {list(value.shape)}" for name, value in zip(node.inputs, operands, strict=True))
        raise ExecutionError(
            f"{graph.name}: node {node.name!r} ({node.op}) fails on {shapes}: {error}; if the network fixes its batch "
            f"inside, run it with batch {graph.batch}"
        ) from None
    low, high = node.clamp
    return results if low is None and high is None else [clamp(value, low, high) for value in results]
