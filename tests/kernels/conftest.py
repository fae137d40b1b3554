"""Where the reference data lie."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def _present(pattern):
    paths = sorted(FOLDER.glob(pattern))
    if not paths:
        pytest.skip(f"reference data absent: {FOLDER / pattern} (set HWSIM_REFERENCE_DATA)")
    return paths


@pytest.fixture(scope="session")
def reference_records():
    """Return a reader of all records of the files that match ``rtl/PATTERN``, or skip."""

    def read(pattern):
        return [record for path in _present(f"rtl/{pattern}") for record in json.loads(path.read_text("utf-8"))]

    return read


@pytest.fixture(scope="session")
def reference_arrays():
    """Return a reader of the arrays of ``arithmetic/NAME``, or skip."""

    def read(name):
        with np.load(_present(f"arithmetic/{name}")[0]) as arrays:
            return dict(arrays)

    return read
