"""Observations of tensors that nobody ran."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.quantization.ranges import Observation
from hwsim.quantization.statistics.moments import Moments
from hwsim.quantization.statistics.propagate import propagated


def observe_statistics(graph: Graph, input_ranges: Mapping[str, tuple[float, float]]) -> dict[str, Observation]:
    """Return what normalizations tell of every activation, in place of what ``observe`` sees of images.

    Args:
        graph: the prepared float graph.
        input_ranges: ``(low, high)`` of every network input in real units: no normalization tells them.

    Returns:
        By tensor name. Without ``statistics`` where none reach: the estimator ``batch_norm`` then says so.

    Raises:
        HwsimError: an input without a range.
    """
    missing = [name for name in graph.inputs if name not in input_ranges]
    if missing:
        raise HwsimError(
            f"{graph.name}: no normalization tells the range of a network input; state the range of {', '.join(missing)}"
        )
    given = {name: _between(graph.tensors[name].shape, *input_ranges[name]) for name in graph.inputs}
    known = propagated(graph, given)
    return {
        name: Observation.of_statistics(*known[name].span) if name in known else Observation(("statistics",))
        for name, tensor in graph.tensors.items()
        if not tensor.is_constant
    }


def _between(shape: tuple[int, ...], low: float, high: float) -> Moments:
    ends = (np.full(shape, end, dtype=np.float64) for end in (low, high))
    return Moments(mean=None, variance=None, low=next(ends), high=next(ends))
