"""Check what the user feeds to a graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.errors import ExecutionError, did_you_mean
from hwsim.graph import Graph
from hwsim.graph.layouts import file_shape
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams

MIN_SPATIAL_RANK = 3  # batch, channels and one dimension more


def checked_inputs(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the inputs as contiguous float32 arrays; dimension 0 is free, the others are those of the graph.

    Integers given to one of ``graph.code_inputs`` are codes and are decoded; everything else is real already.

    Raises:
        ExecutionError: an unknown or missing name, another shape, batches that differ, a value that is not a number.
    """
    for name in inputs:
        if name not in graph.inputs:
            raise ExecutionError(f"{graph.name}: there is no input {name!r}{did_you_mean(name, graph.inputs)}")
    arrays: dict[str, np.ndarray] = {}
    for name in graph.inputs:
        if name not in inputs:
            raise ExecutionError(
                f"{graph.name}: input {name!r} is missing; give an array of shape {_any_batch(graph, name)}"
            )
        arrays[name] = _checked(graph, name, np.asarray(inputs[name]))
    return arrays


def _checked(graph: Graph, name: str, given: np.ndarray) -> np.ndarray:
    expected = graph.tensors[name].shape
    if given.ndim != len(expected) or given.shape[1:] != expected[1:]:
        shape = "[" + ", ".join(map(str, given.shape)) + "]"
        raise ExecutionError(
            f"{graph.name}: input {name!r} must have shape {_any_batch(graph, name)}, with any batch, not {shape}"
            f"{_way_out(expected, given.shape)}"
        )
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == bool) or np.iscomplexobj(given):
        raise ExecutionError(f"{graph.name}: input {name!r} must hold real numbers, not {given.dtype}")
    if given.size == 0:
        raise ExecutionError(f"{graph.name}: input {name!r} is empty; give at least one row")
    grid = graph.tensors[name].quant
    if name in graph.code_inputs and grid is not None and np.issubdtype(given.dtype, np.integer):
        if not _holds_codes(given, grid):
            raise ExecutionError(
                f"{graph.name}: input {name!r} takes {grid.format} codes, but holds {given.min()}..{given.max()}; "
                "give codes of that format, or real values as floats"
            )
        return grid.decode(np.ascontiguousarray(given))
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(given, dtype=np.float32).reshape(given.shape)
    if np.isfinite(array).all():
        return array
    if np.isnan(array).any():
        raise ExecutionError(
            f"{graph.name}: input {name!r} holds {int(np.isnan(array).sum())} NaN among {array.size} values; "
            "give finite numbers"
        )
    overflowed = int(np.isinf(array).sum() - np.isinf(given).sum())
    if overflowed:
        raise ExecutionError(
            f"{graph.name}: input {name!r} holds {overflowed} values beyond float32 among {array.size}; scale the input"
        )
    return array


def _way_out(expected: tuple[int, ...], given: tuple[int, ...]) -> str:
    """Return how to turn an array whose channels stand last; nothing for other shapes."""
    if len(expected) < MIN_SPATIAL_RANK or given[1:] != (*expected[2:], expected[1]):
        return ""
    order = (0, len(expected) - 1, *range(1, len(expected) - 1))
    return f"; its channels stand last: give numpy.transpose(array, {order})"


def _any_batch(graph: Graph, name: str) -> str:
    own, file = graph.tensors[name].shape, file_shape(graph, name)
    return _text(own) if own == file else f"{_text(file)} (or {_text(own)})"


def _text(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(["batch", *map(str, shape[1:])][: len(shape)]) + "]"


def _holds_codes(given: np.ndarray, grid: QuantParams) -> bool:
    """Whether integers are codes of the grid: by their range, or, of other formats, bit patterns in their storage type."""
    if isinstance(grid.format, IntFormat):
        return bool(given.min() >= grid.format.minimum and given.max() <= grid.format.maximum)
    return given.dtype == grid.storage_dtype and int(given.max()) >> grid.format.bits == 0
