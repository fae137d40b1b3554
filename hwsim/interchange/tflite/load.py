"""From a path or bytes to the bytes of the file, and the names that errors and the graph use."""

from __future__ import annotations

import os
from pathlib import Path

from hwsim.errors import GraphError

Source = str | os.PathLike[str] | bytes


def read_bytes(source: Source) -> tuple[bytes, str, str]:
    """Return the file's bytes, the text that names it in errors, and a name for the graph.

    Raises:
        GraphError: a path that is missing, a folder, or not readable.
    """
    if isinstance(source, bytes):
        return source, "model bytes", "model"
    path = Path(source)
    where = os.fspath(source)
    if not path.exists():
        raise GraphError(f"{where}: there is no such file; give the path of a TensorFlow Lite model")
    if path.is_dir():
        raise GraphError(f"{where}: is a folder; give the path of a TensorFlow Lite model inside it")
    try:
        return path.read_bytes(), where, path.stem
    except OSError as error:
        raise GraphError(f"{where}: cannot be read: {error.strerror}") from None
