"""Is the SRAM model CACTI on the grid, close to it between, and sane outside?"""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.energy import cacti, load_table, sram
from hwsim.energy.cacti import Grid

REFERENCE_NAMES = {"read_pj": "read_pJ", "write_pj": "write_pJ", "leakage_mw": "leak_mW", "area_mm2": "area_mm2"}
CLAIMS = {"read_pj": (0.047, 0.20), "write_pj": (0.049, 0.12), "area_mm2": (0.044, 0.10), "leakage_mw": (0.022, 0.056)}
TABLES = [load_table(name) for name in ("generic_45nm", "generic_28nm", "generic_16nm", "generic_7nm", "horowitz_45nm")]
SIZES = st.integers(1, 32 * 2**20)
WIDTHS = st.integers(1, 4096)


def committed_points(quantity):
    points = {}
    for row in cacti.read_rows("cacti7_sram.csv"):
        at = int(row["size_bytes"]), int(row["width_bits"])
        points.setdefault((int(row["node_nm"]), row["device"]), {})[at] = float(row[quantity])
    return points


def left_out_errors(points_by_grid):
    """Predict each inner row of a grid from the grid without that size."""
    errors = []
    for points in points_by_grid.values():
        sizes = sorted({size for size, _ in points})
        for size in sizes[1:-1]:
            grid = Grid.of({at: value for at, value in points.items() if at[0] != size})
            errors += [
                abs(grid(size, width) / value - 1)
                for (row, width), value in points.items()
                if row == size and (sizes[sizes.index(size) - 1], width) in points
            ]
    return errors


def check_claim(quantity, errors):
    median, p90 = CLAIMS[quantity]
    assert len(errors) == 885
    assert statistics.median(errors) == pytest.approx(median, abs=0.0015)
    assert statistics.quantiles(errors, n=10)[-1] == pytest.approx(p90, abs=0.006)


@pytest.mark.parametrize("quantity", cacti.QUANTITIES)
def test_interpolation_error_of_the_committed_table(quantity):
    check_claim(quantity, left_out_errors(committed_points(quantity)))


@pytest.mark.parametrize("quantity", cacti.QUANTITIES)
def test_interpolation_error_of_the_reference_sweep(quantity, reference_rows):
    points = {}
    for row in reference_rows("cacti7_sram_sweep"):
        if row["objective"] == "ed2":
            grid = points.setdefault((int(row["node_nm"]), row["cell"]), {})
            grid[int(row["size_bytes"]), int(row["width_bits"])] = float(row[REFERENCE_NAMES[quantity]])
    check_claim(quantity, left_out_errors(points))
    for key, grid in committed_points(quantity).items():
        assert grid == pytest.approx(points[key], rel=5e-6)


def test_every_point_of_the_grid_is_cacti():
    for quantity in cacti.QUANTITIES:
        for (node_nm, device), points in committed_points(quantity).items():
            for (size_bytes, width_bits), value in points.items():
                assert sram.macro(quantity, device, node_nm, size_bytes, width_bits) == pytest.approx(value)


def test_interpolation_between_nodes_stays_between():
    for quantity in ("read_pj", "write_pj", "area_mm2"):
        below, between, above = (sram.macro(quantity, "lstp", node, 65536, 64) for node in (22, 28, 32))
        assert below < between < above


@pytest.mark.parametrize("quantity", ["read_pj", "write_pj", "area_mm2"])
@pytest.mark.parametrize(("size_bytes", "width_bits"), [(1024, 32), (65536, 32), (8 * 2**20, 128), (65536, 512)])
def test_the_edge_of_the_grid_is_continuous(quantity, size_bytes, width_bits):
    inside = sram.macro(quantity, "lstp", 45, size_bytes, width_bits)
    for near in [
        (size_bytes * 1.001, width_bits),
        (size_bytes * 0.999, width_bits),
        (size_bytes, width_bits * 1.001),
        (size_bytes, width_bits * 0.999),
    ]:
        assert sram.macro(quantity, "lstp", 45, *near) == pytest.approx(inside, rel=0.005)


def test_wide_memories_are_macros_side_by_side(at_45nm):
    assert at_45nm.sram_read_pj(2**18, 2048) == pytest.approx(4 * at_45nm.sram_read_pj(2**16, 512))
    assert at_45nm.sram_area_um2(2**18, 2048) == pytest.approx(4 * at_45nm.sram_area_um2(2**16, 512))


def test_leakage_of_128_kib(at_45nm):
    """3.3 uW lstp at 300 K, 31 uW at 360 K, 62 mW hp at 300 K (CACTI, 45 nm, 64 bits)."""
    assert at_45nm.sram_leakage_mw(2**17, 64) == pytest.approx(0.0310264)
    assert sram.macro("leakage_mw", "lstp", 45, 2**17, 64) == pytest.approx(0.00334055)
    assert sram.macro("leakage_mw", "hp", 45, 2**17, 64) == pytest.approx(62.1672)


@pytest.mark.parametrize("device", ["lstp", "hp", "lop"])
@pytest.mark.parametrize("node_nm", [7, 22, 28, 45, 90])
def test_leakage_grows_with_temperature(device, node_nm):
    factors = [sram.temperature_factor(device, node_nm, kelvin) for kelvin in range(300, 401, 5)]
    assert factors[0] == pytest.approx(1.0)
    assert factors == sorted(factors)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@settings(deadline=None)
@given(size_bytes=SIZES, other_bytes=SIZES, width_bits=WIDTHS)
def test_a_larger_memory_costs_no_less(table, size_bytes, other_bytes, width_bits):
    least = math.ceil(width_bits / 8)
    small, large = sorted((max(size_bytes, least), max(other_bytes, least)))
    for method in ("sram_read_pj", "sram_write_pj", "sram_area_um2"):
        low, high = getattr(table, method)(small, width_bits), getattr(table, method)(large, width_bits)
        assert 0 < low <= high * (1 + 1e-9), method
    assert table.sram_leakage_mw(small, width_bits) > 0


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@settings(deadline=None)
@given(size_bytes=st.integers(512, 2**23), width_bits=WIDTHS, wider_bits=WIDTHS)
def test_a_wider_write_costs_no_less(table, size_bytes, width_bits, wider_bits):
    narrow, wide = sorted((min(width_bits, size_bytes * 8), min(wider_bits, size_bytes * 8)))
    assert table.sram_write_pj(size_bytes, narrow) <= table.sram_write_pj(size_bytes, wide) * (1 + 1e-9)
    # CACTI may organise a narrow word worse than a wide one (21 of the sweep's 825 steps, by 1.21 at most)
    assert table.sram_read_pj(size_bytes, narrow) <= table.sram_read_pj(size_bytes, wide) * 1.25
