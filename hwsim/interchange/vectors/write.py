"""The folder of golden vectors: a folder per layer, an index, a page of explanation and a test bench.

Nothing in it depends on the time or the place of writing, so that two runs of the same thing give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.interchange.vectors.hex_file import write_hex
from hwsim.interchange.vectors.npz_file import write_npz
from hwsim.interchange.vectors.vector import LayerVectors, Vector

FORMAT = "hwsim golden vectors 1"
FORMATS = ("npz", "hex")
INDEX = "index.json"
README = "README.md"
BENCH = "testbench.sv"
PARAMETERS = "layer.svh"
ARCHIVE = "vectors.npz"


def checked_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Return ``formats``; raise HwsimError for an unknown one or none."""
    for name in formats:
        if name not in FORMATS:
            raise HwsimError(f"vectors: format {name!r} is unknown{did_you_mean(name, FORMATS)}")
    if not formats:
        raise HwsimError(f"vectors: give at least one format of {', '.join(FORMATS)}")
    return tuple(formats)


def prepare(folder: Path) -> None:
    """Make the folder, and remove the files that an index in it lists.

    Raises:
        HwsimError: the path is a file, or a folder that holds other things than golden vectors.
    """
    if folder.exists() and not folder.is_dir():
        raise HwsimError(f"{folder}: is a file; give a folder for the vectors")
    index = folder / INDEX
    if folder.is_dir() and any(folder.iterdir()):
        if not index.is_file() or not _is_ours(index):
            raise HwsimError(f"{folder}: holds other files than golden vectors; give a new or empty folder")
        _remove_listed(folder, json.loads(index.read_text("utf-8")))
    folder.mkdir(parents=True, exist_ok=True)


def _remove_listed(folder: Path, index: Mapping[str, Any]) -> None:
    for layer in index["layers"]:
        for file in layer["files"]:
            (folder / file["path"]).unlink(missing_ok=True)
        home = folder / layer["folder"]
        if home.is_dir() and not any(home.iterdir()):
            home.rmdir()


def _is_ours(index: Path) -> bool:
    try:
        return bool(json.loads(index.read_text("utf-8")).get("format") == FORMAT)
    except (ValueError, AttributeError):
        return False


def write_layer(folder: Path, position: int, layer: LayerVectors, formats: Sequence[str]) -> dict[str, Any]:
    """Write one layer's files and return its entry of the index.

    Args:
        folder: where the index lies.
        position: of the layer in the network; part of the layer's folder name.
        layer: what to write.
        formats: of ``FORMATS``.
    """
    name = f"{position:03d}_{re.sub(r'[^A-Za-z0-9_.-]+', '_', layer.layer).strip('_') or 'layer'}"
    home = folder / name
    home.mkdir(exist_ok=True)
    written: list[dict[str, Any]] = []
    if "npz" in formats:
        write_npz(home / ARCHIVE, layer.vectors)
        written.append({"path": f"{name}/{ARCHIVE}", **_fingerprint(home / ARCHIVE)})
    if "hex" in formats:
        for vector in layer.vectors:
            path = home / f"{vector.name}.hex"
            write_hex(path, vector)
            written.append({"path": f"{name}/{path.name}", "vector": vector.name, **_fingerprint(path)})
        if layer.parameters:
            (home / PARAMETERS).write_text(parameter_text(layer), "utf-8")
            written.append({"path": f"{name}/{PARAMETERS}", **_fingerprint(home / PARAMETERS)})
    return {
        "layer": layer.layer,
        "folder": name,
        **layer.facts,
        "vectors": {vector.name: _description(vector) for vector in layer.vectors},
        "left_out": dict(layer.left_out),
        "files": written,
    }


def _description(vector: Vector) -> dict[str, Any]:
    return {
        "about": vector.about,
        "shape": list(vector.values.shape),
        "axes": list(vector.axes),
        "order": "last axis fastest",
        "bits": vector.bits,
        "kind": vector.kind,
    }


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"sha256": digest, "size_bytes": file.tell()}


def parameter_text(layer: LayerVectors) -> str:
    """Return the SystemVerilog header that a test bench of the layer includes."""
    lines = [f"// Sizes, widths and rules of layer {layer.layer}; see ../{README}."]
    lines += [f"localparam int {name} = {value};" for name, value in layer.parameters.items()]
    return "\n".join(lines) + "\n"


def write_index(
    folder: Path, facts: Mapping[str, Any], layers: Iterable[Mapping[str, Any]], formats: Sequence[str]
) -> Path:
    """Write the index, the explanation and, with hex files, the test bench; return the path of the index.

    Args:
        folder: where the layers' folders lie.
        facts: network, machine and versions: JSON data.
        layers: what ``write_layer`` returned.
        formats: of ``FORMATS``.
    """
    texts = files("hwsim.interchange.vectors")
    (folder / README).write_text((texts / "vectors.md").read_text("utf-8"), "utf-8")
    if "hex" in formats:
        (folder / BENCH).write_text((texts / BENCH).read_text("utf-8"), "utf-8")
    content = {"format": FORMAT, **facts, "layers": list(layers)}
    path = folder / INDEX
    path.write_text(json.dumps(content, indent=1, default=_plain) + "\n", "utf-8")
    return path


def _plain(value: Any) -> Any:
    """Return numpy scalars and arrays as JSON data."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"vectors: {type(value).__name__} is no JSON data")
