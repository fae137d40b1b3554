"""The folder of reference data: every file of a pattern is a case; where there is none, a test is skipped and says why.

The folder is named by ``HWSIM_REFERENCE_DATA``; without it, ``shared/data`` beside the checkout.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def found(*patterns):
    """Return every file of the patterns."""
    return sorted({path for pattern in patterns for path in FOLDER.glob(pattern)})


def absent(*patterns, values=1):
    """Return the parameter that stands for data that are not there: a test of it is skipped."""
    wanted = " or ".join(str(FOLDER / pattern) for pattern in patterns)
    reason = f"no reference data: {wanted} (set HWSIM_REFERENCE_DATA to a folder that holds it)"
    return pytest.param(*[None] * values, id="absent", marks=pytest.mark.skip(reason=reason))


def files(*patterns):
    """Return a parameter for each file of the patterns, or the one that skips."""
    return [pytest.param(path, id=path.name) for path in found(*patterns)] or [absent(*patterns)]


def each_file(*patterns):
    """Run a test on each file of the patterns as its ``path``."""
    return pytest.mark.parametrize("path", files(*patterns))
