"""``hwsim.load``: a network by name or file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hwsim.errors import GraphError, did_you_mean
from hwsim.graph import Graph
from hwsim.graph.fusion import adopt


def load(
    name_or_path: str | Path, *, batch: int = 1, dimensions: Mapping[str, int] | None = None, seed: int = 0
) -> Graph:
    """Return the network of a bundled name (``hwsim show models``), or of an ``.onnx``, ``.tflite`` or SCALE-Sim ``.csv`` file.

    One that comes quantized keeps its grids, and its quantizers are fused into the operators before them
    (``hwsim.graph.fusion.adopt``); a SCALE-Sim topology has drawn weights.

    Args:
        name_or_path: a name of the zoo, or a path.
        batch: images per inference.
        dimensions: values of other symbolic dimensions by name.
        seed: of the drawn weights, for topologies that come without trained ones.

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

        return _fused(read_tflite(Path(text), batch=batch, dimensions=dimensions))
    if text.endswith(".csv"):
        from hwsim.interchange.scalesim import read_scalesim

        if dimensions:
            raise GraphError(
                f"{text}: a SCALE-Sim topology has no symbolic dimensions; leave out {', '.join(dimensions)}"
            )
        return read_scalesim(text, batch=batch, seed=seed)
    if not text.endswith(".onnx") and not Path(text).exists():
        raise GraphError(f"network: {text!r} is neither a file nor a bundled network{did_you_mean(text, names())}")
    return _fused(read_onnx(Path(text), batch=batch, dimensions=dimensions))


def _fused(graph: Graph) -> Graph:
    return adopt(graph) if graph.is_quantized else graph
