"""Inputs of a network as codes: checked and encoded, or by a compiled call for arrays like those that were checked before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.float32.inputs import checked_inputs
from hwsim.graph import Graph
from hwsim.kernels.encode import encode, integer_encoder


def encoded_inputs(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the codes of the inputs, real values where an input has no grid.

    Raises:
        ExecutionError: inputs that do not fit the graph, an input whose grid is not calibrated.
    """
    codes = {}
    for name, array in checked_inputs(graph, inputs).items():
        grid = graph.tensors[name].quant
        if grid is not None and not grid.is_calibrated:
            raise ExecutionError(
                f"{graph.name}: input {name!r} has no calibrated grid; quantize the graph with calibration inputs"
            )
        codes[name] = array if grid is None else encode(grid, array)
    return codes


def bound_inputs(graph: Graph, places: Mapping[str, np.ndarray]) -> Callable[[Mapping[str, np.ndarray]], None]:
    """Return a call that puts the codes of inputs into ``places``.

    Its inputs must have names, shapes and types that ``encoded_inputs`` took before; values are checked as there.
    """
    encoders = {}
    for name, place in places.items():
        grid = graph.tensors[name].quant
        run = integer_encoder(grid) if grid is not None and place.flags.c_contiguous else None
        if run is not None:
            encoders[name] = run, place.reshape(-1)

    def slow(inputs: Mapping[str, np.ndarray]) -> None:
        for name, codes in encoded_inputs(graph, inputs).items():
            places[name][...] = codes

    def fast(inputs: Mapping[str, np.ndarray]) -> None:
        for name, (run, codes) in encoders.items():
            given = inputs[name]
            if type(given) is not np.ndarray or given.dtype != np.float32 or not given.flags.c_contiguous:
                return slow(inputs)
            elements = given.reshape(-1)
            elements.flags.writeable = False  # arrays that can be written are a type of their own to numba
            if run(elements, codes):
                return slow(inputs)  # which says what is wrong with the values
        return None

    return fast if len(encoders) == len(places) else slow
