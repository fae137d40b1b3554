"""Run the float network on calibration inputs and remember what each tensor looked like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph
from hwsim.graph.layouts import in_graph_layout
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.ranges import Observation
from hwsim.quantization.ranges import needs as needs_of_estimator
from hwsim.quantization.statistics import observe_statistics

CHUNK_ELEMENTS = 1 << 21
BY_DEFAULT = frozenset({"extremes", "histogram"})


def needs_of(graph: Graph, plan: PrecisionPlan) -> frozenset[str]:
    """Return what the estimators of the plan read of activations: what ``observe`` has to collect for them."""
    layers = (*graph.inputs, *(node.name for node in graph.nodes))
    return frozenset().union(*(needs_of_estimator(plan.for_layer(layer).activation_range) for layer in layers))


def observe(
    graph: Graph, inputs: Mapping[str, np.ndarray], needs: Iterable[str] = BY_DEFAULT
) -> dict[str, Observation]:
    """Return an Observation per activation, network inputs included.

    Args:
        graph: the prepared float graph.
        inputs: arrays by input name as a user gives them, dimension 0 counts the images; they are run in chunks that bound memory.
        needs: what the estimators read (``needs_of``); ``channels`` runs the images twice, ``statistics`` alone runs none and
            reads the ranges of the network inputs only.

    Raises:
        ExecutionError: inputs that do not fit the network.
        HwsimError: no images, or a tensor that is not finite.
    """
    if not inputs or not all(len(array) for array in inputs.values()):
        raise HwsimError(f"calibration: {graph.name} needs at least one image for its inputs {', '.join(graph.inputs)}")
    needs = frozenset(needs)
    inputs = in_graph_layout(graph, inputs)
    told: dict[str, Observation] = {}
    if "statistics" in needs:
        told = observe_statistics(
            graph, {name: _extremes(name, inputs[name]) for name in graph.inputs if name in inputs}
        )
        if needs == {"statistics"}:
            return told
    seen = {
        name: Observation(needs, is_output=name in graph.outputs)
        for name, tensor in graph.tensors.items()
        if not tensor.is_constant
    }

    def update(name: str, values: np.ndarray, images: int) -> None:
        try:
            seen[name].update(values, images)
        except HwsimError as error:
            raise HwsimError(f"calibration: tensor {name!r} is {error}") from None

    _run(graph, inputs, update)
    if "channels" in needs:
        _run(graph, inputs, lambda name, values, images: seen[name].update_again(values))
    for name, observation in told.items():
        seen[name].statistics = observation.statistics
    return seen


def chunk_size(graph: Graph, elements: int = CHUNK_ELEMENTS) -> int:
    """Return how many images to run at a time, a multiple of the graph's batch, so that tensors stay below ``elements``."""
    largest = max(tensor.size for tensor in graph.tensors.values() if not tensor.is_constant)
    return graph.batch * max(1, elements // largest)


def _run(graph: Graph, inputs: Mapping[str, np.ndarray], update: Callable[[str, np.ndarray, int], None]) -> None:
    """Run the images in chunks; ``update(name, values, images)`` sees every tensor of each."""
    count, step = len(next(iter(inputs.values()))), chunk_size(graph)
    for start in range(0, count, step):
        images = min(step, count - start)

        def see(name: str, values: np.ndarray, images: int = images) -> None:
            update(name, values, images)

        run_float(graph, {name: array[start : start + step] for name, array in inputs.items()}, observe=see)


def _extremes(name: str, values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise HwsimError(f"calibration: tensor {name!r} is not finite; check the inputs and the weights before it")
    return low, high
