"""``hwsim.load``: a network by name or file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hwsim.errors import GraphError, did_you_mean
from hwsim.graph import Graph


def load(
    name_or_path: str | Path, *, batch: int = 1, dimensions: Mapping[str, int] | None = None, seed: int = 0
) -> Graph:
    """Return the network of a bundled name (``hwsim show models``), of an ``.onnx`` or of a ``.tflite`` file; one that comes quantized keeps its grids.

    Args:
        name_or_path: a name of the zoo, or a path.
        batch: images per inference.
        dimensions: values of other symbolic dimensions by name.
        seed: of the drawn weights, for bundled topologies that come without trained ones.

    Raises:
        GraphError: an unknown name, a missing or broken file, an operator that is not supported.
    """
    from hwsim.interchange.onnx import read_onnx
    from hwsim.zoo import entry, load_model, names

    text = str(name_or_path)
    if text in names():
        record = entry(text)
        graph = read_onnx(load_model(text, 0 if record.trained else seed), batch=batch, dimensions=dimensions)
        return replace(graph, name=text, notes=(*graph.notes, *((record.warning,) if record.warning else ())))
    if text.endswith(".tflite"):
        from hwsim.interchange.tflite import read_tflite

        return read_tflite(Path(text), batch=batch, dimensions=dimensions)
    if not text.endswith(".onnx") and not Path(text).exists():
        raise GraphError(f"network: {text!r} is neither a file nor a bundled network{did_you_mean(text, names())}")
    return read_onnx(Path(text), batch=batch, dimensions=dimensions)
