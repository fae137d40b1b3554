"""Files of an output folder, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwsim.errors import HwsimError


@contextmanager
def output_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Make ``folder`` and give it; what the file system refuses inside the block becomes an HwsimError.

    Raises:
        HwsimError: a file is in the way, no permission, or a full disk.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield path
    except (FileExistsError, NotADirectoryError):
        raise HwsimError(
            f"report: {path} must be a folder, but a file is in the way; name another folder or remove the file"
        ) from None
    except PermissionError as error:
        raise HwsimError(
            f"report: {path} cannot be written: no permission for {error.filename}; name another folder"
        ) from None
    except OSError as error:
        raise HwsimError(f"report: {path} cannot be written: {error.strerror or error}; name another folder") from error


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text so that a reader sees the old file or the new one, never a part: a neighbour, then a rename.

    Line ends stay as they are.
    """
    neighbour = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        neighbour.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        neighbour.replace(path)
    finally:
        neighbour.unlink(missing_ok=True)
    return path
