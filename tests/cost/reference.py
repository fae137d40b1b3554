"""Where the measurements of others lie."""

import os
from pathlib import Path

import pytest


def reference_data():
    """Return the folder of reference data, or skip the module."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("HWSIM_REFERENCE_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no reference data: set HWSIM_REFERENCE_DATA to its folder", allow_module_level=True)
    return folder
