"""Results to report on; ``synthetic.py`` builds them."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from hwsim.hardware import load_accelerator


@pytest.fixture(scope="session")
def synthetic():
    """The builders ``result_of`` and ``sweep_table``, and the names ``HOSTILE``."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic.py"))))


@pytest.fixture(scope="session")
def result(synthetic):
    return synthetic.result_of(14)


@pytest.fixture(scope="session")
def large(synthetic):
    return synthetic.result_of(150)


@pytest.fixture(scope="session")
def machine():
    return load_accelerator("edge_16x16")
