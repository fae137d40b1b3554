"""Arrays between a network's user and its graph, where the file orders the dimensions of inputs and outputs otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.graph.graph import Graph


def in_graph_layout(graph: Graph, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what a user gave, dimensions in the graph's order: views of the arrays, dimension 0 free.

    An array whose shape is the file's is turned. One that only fits the graph stays, so that both are taken; where the
    shapes are the same in either order (as many channels as rows and columns) the file's is meant.
    """
    return {name: _turned(graph, name, np.asarray(array)) for name, array in arrays.items()}


def in_file_layout(graph: Graph, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return results of the graph with their dimensions in the order of the file."""
    return {
        name: np.transpose(array, np.argsort(graph.file_layouts[name])) if name in graph.file_layouts else array
        for name, array in arrays.items()
    }


def file_shape(graph: Graph, name: str) -> tuple[int, ...]:
    """Return the shape of an input or output in the order of the file."""
    shape = graph.tensors[name].shape
    return tuple(shape[axis] for axis in np.argsort(graph.file_layouts.get(name, range(len(shape)))))


def _turned(graph: Graph, name: str, array: np.ndarray) -> np.ndarray:
    if name in graph.file_layouts and array.shape[1:] == file_shape(graph, name)[1:]:
        return np.transpose(array, graph.file_layouts[name])
    return array
