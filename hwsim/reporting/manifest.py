"""What a run was: enough to do it again and to know whether it was the same."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import hwsim
from hwsim.errors import HwsimError
from hwsim.reporting.plain import plain

PACKAGES = ("numpy", "numba", "onnx", "matplotlib", "pydantic")


def manifest(
    command: str | None,
    config: Mapping[str, Any],
    seed: int | None,
    files: Mapping[str, str | os.PathLike[str]],
    extra: Mapping[str, Any] | None = None,
    *,
    time: str | None = None,
) -> dict[str, Any]:
    """Return the manifest of a run as JSON data; it imports none of the packages it names.

    Args:
        command: the command line, as typed.
        config: the resolved configuration: every key stated.
        seed: seed of everything random, or None if nothing is.
        files: input files by role, such as ``{"model": path}``; each is hashed.
        extra: further top-level keys, such as ``energy_provenance``.
        time: when it ran, ISO 8601; the library looks at no clock.

    Raises:
        HwsimError: a file cannot be read, or ``extra`` has a key that the manifest itself writes.
    """
    own = {
        "command": command,
        "time": time,
        "seed": seed,
        "versions": {"hwsim": hwsim.__version__, "python": platform.python_version()} | _versions(),
        "platform": {"system": platform.system(), "release": platform.release(), "machine": platform.machine()},
        "files": {role: _fingerprint(path) for role, path in files.items()},
        "config": plain(config),
    }
    clash = sorted(set(own) & set(extra or {}))
    if clash:
        raise HwsimError(f"manifest: extra must not hold keys of the manifest itself: {', '.join(clash)}; rename them")
    return own | plain(extra or {})


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _fingerprint(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise HwsimError(f"manifest: {os.fspath(path)} cannot be read: {error.strerror}; give a file") from None
    return {"path": os.fspath(path), "sha256": digest, "size_bytes": size}
