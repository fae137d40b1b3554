"""The law of floating-point units, fitted in one library, against synthesis in others: relative to an 8x8 multiplier."""

import csv

import pytest

from hwsim.energy import load_table
from tests.oracles.reference_data import each_file

pytestmark = pytest.mark.oracle
UNITS = {"fpmul": ("float_multiply_pj", "float_multiplier_area_um2"), "fpadd": ("float_add_pj", "float_adder_area_um2")}


@each_file("energy/synth_blocks_*.csv")
def test_every_floating_point_unit(path):
    table = load_table("generic_45nm")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    (anchor,) = [row for row in rows if (row["block"], row["a"], row["b"], row["stim"]) == ("mul", "8", "8", "rand")]
    units = [row for row in rows if row["block"] in UNITS]
    assert {row["block"] for row in units} == set(UNITS)
    for row in units:
        energy, area = UNITS[row["block"]]
        bits = int(row["a"]), int(row["b"])  # exponent and mantissa
        published = {column: float(row[column]) / float(anchor[column]) for column in ("Eg_fJ", "area_um2")}
        assert getattr(table, area)(*bits) / table.multiplier_area_um2(8, 8) == pytest.approx(
            published["area_um2"], rel=0.15
        ), row
        assert getattr(table, energy)(*bits) / table.multiply_pj(8, 8) == pytest.approx(published["Eg_fJ"], rel=0.22), (
            row
        )
