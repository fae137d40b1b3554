"""``write_vectors``: run a network on a machine and write the integers of its layers for hardware to be checked against."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

import hwsim
from hwsim.errors import HwsimError, did_you_mean
from hwsim.execute.integer import Layer, check_executable, run_integer
from hwsim.execute.integer.product import ArrayProduct
from hwsim.execute.integer.run import encode_constants
from hwsim.graph import Graph, Node
from hwsim.hardware import Accelerator
from hwsim.interchange.vectors.write import FORMATS, checked_formats, prepare, write_index, write_layer
from hwsim.schedule import schedule
from hwsim.simulation.inputs import finds_ranges, split_labels
from hwsim.simulation.vectors.layer import check_writable, layer_vectors

DEFAULT_LIMIT = 1 << 20


def write_vectors(
    graph: Graph,
    accelerator: Accelerator,
    inputs: Mapping[str, np.ndarray],
    folder: str | os.PathLike[str],
    *,
    layers: str = "*",
    formats: Sequence[str] = FORMATS,
    limit: int = DEFAULT_LIMIT,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Run ``inputs`` through a quantized network and write golden vectors; return the path of ``index.json``.

    Each layer's files are written as soon as the layer has run, so that memory holds one image batch of the network and
    the vectors of one layer.

    Args:
        graph: a quantized network (``hwsim.quantize``).
        accelerator: the machine (``hwsim.accelerator``).
        inputs: arrays by input name ``[images, ...]``; whole batches of the graph. ``labels`` among them are left out.
        folder: new, empty, or with vectors of an earlier run, whose files are removed.
        layers: layer name or shell pattern.
        formats: ``npz``, ``hex`` or both.
        limit: words of the largest array per layer. Larger products are cut to their first outputs, see ``region_within``.
        progress: called with each layer's name before it is written.

    Raises:
        HwsimError: a pattern that matches nothing, images that are no whole batches, a folder with other files, and what
            ``hwsim.simulate`` raises.
    """
    formats = checked_formats(formats)
    if limit < 1:
        raise HwsimError(f"vectors: limit must be at least 1 word, not {limit}")
    chosen = _matching(graph, layers)
    arrays = _whole_batches(graph, inputs)
    check_executable(graph, accelerator)
    mappings = schedule(graph, accelerator).mappings
    for node in chosen:
        check_writable(Layer.of(graph, node, accelerator, mappings.get(node.name)))
    home = Path(folder)
    prepare(home)
    recorder = _Recorder(graph, chosen, home, formats, limit, progress)
    ready = {
        node.name: recorder.watched(Layer.of(graph, node, accelerator, mappings.get(node.name))) for node in graph.nodes
    }
    facts = {
        "network": graph.name,
        "network_sha256": fingerprint(graph, recorder.constants),
        "images": len(next(iter(arrays.values()), ())),
        "batch": graph.batch,
        "limit_words": limit,
        "accelerator": accelerator.model_dump(mode="json"),
        "versions": {"hwsim": hwsim.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "notes": list(graph.notes),
    }
    try:
        run_integer(graph, ready, arrays, constants=recorder.constants, observe=recorder.observe)
    finally:  # an interrupted run leaves an index of what it wrote, so that the next one may replace it
        is_complete = len(recorder.entries) == len(chosen)
        index = write_index(home, {**facts, "is_complete": is_complete}, recorder.entries, formats)
    return index


class _Recorder:
    """Holds the tensors that the chosen layers touch until each layer is written."""

    def __init__(
        self,
        graph: Graph,
        chosen: Sequence[Node],
        folder: Path,
        formats: Sequence[str],
        limit: int,
        progress: Callable[[str], None] | None,
    ):
        self.graph, self.folder, self.formats, self.limit, self.progress = graph, folder, formats, limit, progress
        self.constants = encode_constants(graph)
        self.entries: list[dict[str, Any]] = []
        self._layers: dict[str, Layer] = {}
        self._chosen = {node.name for node in chosen}
        self._last = {node.outputs[-1]: node for node in chosen}
        self._positions = {node.name: index for index, node in enumerate(graph.nodes)}
        self._uses = Counter(name for node in chosen for name in {*node.inputs, *node.outputs} if name)
        self._values: dict[str, np.ndarray] = {}
        self._products: dict[str, ArrayProduct] = {}

    def watched(self, layer: Layer) -> Layer:
        """Return the layer, its array product recorded if it is to be written."""
        if layer.node.name not in self._chosen:
            return layer
        self._layers[layer.node.name] = layer
        return replace(layer, on_product=self._take_product)

    def _take_product(self, layer: Layer, product: ArrayProduct) -> None:
        self._layers[layer.node.name] = layer  # with the grids that this inference found
        self._products[layer.node.name] = product

    def observe(self, name: str, values: np.ndarray) -> None:
        """Take a tensor of the run; write the layer that it completes."""
        if self._uses[name]:
            self._values[name] = values
        if name in self._last:
            self._write(self._last[name])

    def _write(self, node: Node) -> None:
        if self.progress is not None:
            self.progress(node.name)
        touched = {name for name in (*node.inputs, *node.outputs) if name}
        tensors = {name: self.constants[name] if name in self.constants else self._values[name] for name in touched}
        product = self._products.pop(node.name, None)
        vectors = layer_vectors(self._layers[node.name], tensors, product, self.limit)
        self.entries.append(write_layer(self.folder, self._positions[node.name], vectors, self.formats))
        self._uses.subtract(touched)
        for name in touched:
            if not self._uses[name]:
                self._values.pop(name, None)


def fingerprint(graph: Graph, constants: Mapping[str, np.ndarray]) -> str:
    """Return a SHA-256 of the network's operators, grids and constants."""
    digest = hashlib.sha256()
    for node in graph.nodes:
        digest.update(repr((node.name, node.op, node.inputs, node.outputs, sorted(node.attributes.items()))).encode())
    for name, tensor in sorted(graph.tensors.items()):
        digest.update(repr((name, tensor.shape, tensor.quant)).encode())
        if name in constants:
            digest.update(np.ascontiguousarray(constants[name]).tobytes())
    return digest.hexdigest()


def _matching(graph: Graph, pattern: str) -> list[Node]:
    chosen = [node for node in graph.nodes if fnmatchcase(node.name, pattern)]
    if not chosen:
        raise HwsimError(f"vectors: no layer of {graph.name} matches {pattern!r}{did_you_mean(pattern, graph.node_of)}")
    return chosen


def _whole_batches(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays, _ = split_labels(graph, inputs, None)
    counts = {len(arrays[name]) for name in graph.inputs if name in arrays}
    if finds_ranges(graph) and counts != {graph.batch}:
        raise HwsimError(
            f"vectors: {graph.name} finds ranges at run time, those of each batch of {graph.batch}; give that many images "
            f"(--images {graph.batch}), not {', '.join(map(str, sorted(counts))) or 'none'}"
        )
    if not counts or any(count == 0 or count % graph.batch for count in counts):
        raise HwsimError(
            f"vectors: {graph.name} processes batches of {graph.batch}; give a multiple of that many images, not "
            f"{', '.join(map(str, sorted(counts))) or 'none'}"
        )
    return arrays
