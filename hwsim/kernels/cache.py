"""Where compiled kernels are kept: one folder per hash of all kernel sources.

numba's cache does not notice an edit in a helper of another file; a folder named by the hash of every source does. The
folder is under ``XDG_CACHE_HOME`` or ``~/.cache``, in the temporary folder where that cannot be written, and the user's
``NUMBA_CACHE_DIR`` wins over both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

config: Any = numba_config


def source_hash() -> str:
    """Return 16 hex digits that change with any source file of this folder and with numba's version."""
    digest = sha256(numba.__version__.encode())
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def cache_folder() -> Path:
    """Return the folder for compiled kernels, created; a fresh temporary one as the last resort."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~")) / ".cache"
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    for root in (home / "hwsim", Path(tempfile.gettempdir()) / f"hwsim{user}"):
        folder = root / f"kernels-{source_hash()}"
        if _writable(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="hwsim-"))


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function`` on first use, without the interpreter lock, and keep the result in ``cache_folder``.

    numba reads the folder when a function is decorated; the setting is put back, so that other users of numba in the
    same process keep theirs.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return numba.njit(cache=True, nogil=True)(function)
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        return numba.njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_DIR = before
