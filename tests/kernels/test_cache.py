import os
import subprocess
import sys

import pytest

from hwsim.kernels import cache

PROBE = """
import os
from numba.core import config
import hwsim.kernels.ordered.loop as module
print(module.follow_tiles._cache._impl.locator.get_cache_path(), config.CACHE_DIR == os.environ.get('NUMBA_CACHE_DIR', ''))
"""


def compiled_into(tmp_path, **environment):
    """Where a fresh process would keep ``ordered``, and whether numba's own setting is as the user left it."""
    base = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    base["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=base | environment, cwd=tmp_path
    )
    path, untouched = done.stdout.split()
    return path, untouched == "True"


def test_the_folder_is_named_by_the_sources(tmp_path):
    path, untouched = compiled_into(tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert path.startswith(str(tmp_path / "hwsim" / f"kernels-{cache.source_hash()}"))
    assert untouched


def test_a_folder_of_the_user_wins(tmp_path):
    path, untouched = compiled_into(tmp_path, XDG_CACHE_HOME=str(tmp_path / "x"), NUMBA_CACHE_DIR=str(tmp_path / "own"))
    assert path.startswith(str(tmp_path / "own"))
    assert untouched


def test_a_home_that_cannot_be_written_falls_back(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    folder = cache.cache_folder.__wrapped__()
    assert folder.is_relative_to(tmp_path / "tmp")
    assert folder.is_dir()


@pytest.mark.parametrize("name", ["gemm.py", "requantizers/fixed_point.py"])
def test_an_edit_of_any_file_changes_the_hash(name, tmp_path, monkeypatch):
    (tmp_path / "requantizers").mkdir()
    for path in ("cache.py", "gemm.py", "requantizers/fixed_point.py"):
        (tmp_path / path).write_text("x = 1\n")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    before = cache.source_hash()
    (tmp_path / name).write_text("x = 2\n")
    assert cache.source_hash() != before
