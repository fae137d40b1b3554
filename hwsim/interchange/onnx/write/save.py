"""A finished model into its file."""

from __future__ import annotations

import os

import onnx

from hwsim.errors import GraphError


def save(model: onnx.ModelProto, path: str | os.PathLike[str]) -> None:
    """Write the file; raise GraphError where its folder is missing or not writable."""
    try:
        onnx.save(model, os.fspath(path))
    except OSError as error:
        raise GraphError(f"{os.fspath(path)}: cannot be written: {error.strerror}") from None
