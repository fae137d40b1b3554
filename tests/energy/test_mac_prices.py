"""Prices of fusable, floating-point and serial units against what was published of them."""

import pytest

from hwsim.energy import load_table
from hwsim.hardware.modes import mode_of

FUSABLE = [  # 45 nm, Bit Fusion's synthesis: bits, pJ per cycle, um2, ratios found (a fit: two constants each)
    (4, 0.1335, 381.3, 0.993, 1.001),
    (8, 0.4932, 1704.1, 1.014, 1.024),
    (16, 2.1684, 8410.0, 0.994, 0.999),
]
FLOATS = [  # own synthesis: multiplier and adder over an 8x8 multiplier and a 24-bit adder; e, m of both, published, found
    ((4, 3), (5, 10), 1.37, 1.291),
    ((4, 3), (8, 23), 2.52, 2.504),
    ((8, 7), (8, 23), 3.2, 3.091),
    ((5, 10), (8, 23), 3.7, 3.694),
    ((8, 23), (8, 23), 9.0, 8.664),
]
UNPU_CHIP = 50.6 / 3.08  # TOPS/W at 1-bit over 16-bit weights, ISSCC 2018


@pytest.fixture
def table():
    return load_table("generic_45nm")


def fusable(table, bits):
    """A whole element: unit, adder and registers of p^2 / 2 bits for either operand."""
    acc = 2 * bits + 4
    energy = table.fusion_pj(bits) + table.add_pj(acc) + table.register_write_pj(bits * bits + acc)
    area = table.fusion_area_um2(bits) + table.adder_area_um2(acc) + table.register_area_um2(bits * bits + acc)
    return energy, area


@pytest.mark.parametrize(("bits", "energy_pj", "area_um2", "energy_ratio", "area_ratio"), FUSABLE)
def test_fusable_elements(table, bits, energy_pj, area_um2, energy_ratio, area_ratio):
    energy, area = fusable(table, bits)
    assert energy / energy_pj == pytest.approx(energy_ratio, abs=0.005)
    assert area / area_um2 == pytest.approx(area_ratio, abs=0.005)


def test_flexibility_costs_what_bit_fusion_paid(table):
    """2.1 times the energy and 3.0 times the area of a fixed 8-bit element."""
    energy, area = fusable(table, 8)
    fixed = table.mac_pj(8, 8, 20) + table.register_write_pj(36)
    fixed_area = table.multiplier_area_um2(8, 8) + table.adder_area_um2(20) + table.register_area_um2(36)
    assert energy / fixed == pytest.approx(2.1, rel=0.1)
    assert area / fixed_area == pytest.approx(3.0, rel=0.15)


@pytest.mark.parametrize(("multiplier", "adder", "published", "ratio"), FLOATS)
def test_floats_against_an_8_bit_integer(table, multiplier, adder, published, ratio):
    integer = table.multiplier_area_um2(8, 8) + table.adder_area_um2(24)
    found = (table.float_multiplier_area_um2(*multiplier) + table.float_adder_area_um2(*adder)) / integer
    assert found == pytest.approx(ratio, abs=0.005)
    assert found == pytest.approx(published, rel=0.06)


@pytest.mark.parametrize(
    ("method", "bits", "published", "ratio"),
    [
        ("float_multiply_pj", (5, 10), 1.1, 0.41), ("float_add_pj", (5, 10), 0.4, 1.16),
        ("float_multiply_pj", (8, 23), 3.7, 0.56), ("float_add_pj", (8, 23), 0.9, 1.24),
    ],
)  # fmt: skip
def test_floats_against_horowitz(table, method, bits, published, ratio):
    """Random data: activity 1. Synthesis has cheaper multipliers, relative to the integer one."""
    assert getattr(table, method)(*bits) / table.activity / published == pytest.approx(ratio, abs=0.005)


def test_bits_in_series_cost_in_proportion(table):
    """As UNPU's chip; its tables of sums, which save 23 to 54 % over a fixed unit, are not modelled."""
    mode = mode_of("serial:weight:16")
    energy = {w: mode.product_pj(table, 16, w) + mode.sum_pj(table, 36) / mode.lanes for w in (1, 16)}
    assert energy[16] / energy[1] == pytest.approx(UNPU_CHIP, rel=0.03)


def test_a_selector_is_a_tree_of_two_way_multiplexers(table):
    assert table.select_pj(8, 4) == pytest.approx(3 * table.select_pj(8, 2))
    assert table.selector_area_um2(16, 4) == pytest.approx(6 * table.selector_area_um2(8, 2))
    assert table.select_pj(8, 1) == 0


@pytest.mark.parametrize("name", ["generic_28nm", "generic_7nm"])
def test_every_unit_scales_as_the_integer_one(table, name):
    other = load_table(name)
    energy, area = other.multiply_pj(8, 8) / table.multiply_pj(8, 8), other.adder_area_um2(8) / table.adder_area_um2(8)
    for method, arguments, factor in (
        ("fusion_pj", (8,), energy), ("float_add_pj", (5, 10), energy), ("select_pj", (8, 4), energy),
        ("fusion_area_um2", (8,), area), ("float_multiplier_area_um2", (5, 10), area), ("selector_area_um2", (8, 4), area),
    ):  # fmt: skip
        assert getattr(other, method)(*arguments) / getattr(table, method)(*arguments) == pytest.approx(factor)
