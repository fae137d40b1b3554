"""Where the reference data lie, and the tables under test."""

import csv
import os
from pathlib import Path

import pytest

from hwsim.energy import load_table

DEFAULT = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def reference_rows():
    """Return a reader of ``energy/NAME.csv`` of the reference data, or skip."""
    folder = Path(os.environ.get("HWSIM_REFERENCE_DATA", DEFAULT)) / "energy"

    def read(name):
        path = folder / f"{name}.csv"
        if not path.is_file():
            pytest.skip(f"reference data absent: {path} (set HWSIM_REFERENCE_DATA)")
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def at_45nm():
    return load_table("generic_45nm")


@pytest.fixture(scope="session")
def at_65nm(tmp_path_factory):
    """Eyeriss's technology: the default model at 65 nm, 1 V."""
    path = tmp_path_factory.mktemp("energy") / "generic_65nm.toml"
    path.write_text(
        'base = "generic_45nm"\ndescription = "65 nm, 1 V"\n'
        "[technology]\nnode_nm = 65\nvoltage_v = 1.0\nnominal_voltage_v = 1.0\n"
    )
    return load_table(path)
