"""Run the float network on calibration inputs and remember what each tensor looked like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph
from hwsim.graph.layouts import in_graph_layout
from hwsim.quantization.ranges import Observation

CHUNK_ELEMENTS = 1 << 21


def observe(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, Observation]:
    """Return an Observation per activation, network inputs included.

    Args:
        graph: the prepared float graph.
        inputs: arrays by input name as a user gives them, dimension 0 counts the images; they are run in chunks that bound memory.

    Raises:
        ExecutionError: inputs that do not fit the network.
        HwsimError: no images, or a tensor that is not finite.
    """
    if not inputs or not all(len(array) for array in inputs.values()):
        raise HwsimError(f"calibration: {graph.name} needs at least one image for its inputs {', '.join(graph.inputs)}")
    seen = {name: Observation() for name, tensor in graph.tensors.items() if not tensor.is_constant}

    def update(name: str, values: np.ndarray) -> None:
        if not np.isfinite(values).all():
            raise HwsimError(f"calibration: tensor {name!r} is not finite; check the inputs and the weights before it")
        seen[name].update(values)

    inputs = in_graph_layout(graph, inputs)
    count = len(next(iter(inputs.values()), ()))
    step = chunk_size(graph)
    for start in range(0, count, step):
        run_float(graph, {name: array[start : start + step] for name, array in inputs.items()}, observe=update)
    return seen


def chunk_size(graph: Graph, elements: int = CHUNK_ELEMENTS) -> int:
    """Return how many images to run at a time, a multiple of the graph's batch, so that tensors stay below ``elements``."""
    largest = max(tensor.size for tensor in graph.tensors.values() if not tensor.is_constant)
    return graph.batch * max(1, elements // largest)
