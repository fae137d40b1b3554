"""SCALE-Sim 3.0.0's own reports: every case of every index, every cell that is filled.

CALC: cycles, utilization, SRAM and DRAM counts. USER: total minus stalls, mapping efficiency, compute utilization and SRAM
counts; its stalls are not copied (``hwsim.simulation.scalesim``).
"""

import csv

import pytest

from hwsim.interchange.scalesim import read_config, read_topology
from hwsim.simulation.scalesim import report_topology
from tests.oracles.reference_data import absent, found

PATTERN = "scalesim*/index.csv"
# sums of up to millions of shares, whose last digits depend on the Python that ran the tool
CLOSE = 1e-9


def cases():
    """Return a parameter for each row of each index, or the one that skips."""
    rows = [(path.parent, row) for path in found(PATTERN) for row in read(path)]
    return [pytest.param(folder, row, id=row["file"]) for folder, row in rows] or [absent(PATTERN, values=2)]


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(report):
    """Return the columns of a reference row that the report claims."""
    columns = {
        "total_cycles": report.cycles,
        "total_cycles_incl_prefetch": report.prefetch_cycles,
        "stall_cycles": report.stall_cycles,
        "overall_util_pct": report.overall_percent,
        "mapping_eff_pct": report.mapping_percent,
        "compute_util_pct": report.compute_percent,
    }
    for memory, traffic in (("sram", report.sram), ("dram", report.dram)):
        for operand, access in traffic.items():
            columns[f"{memory}_{operand}_{'writes' if operand == 'ofmap' else 'reads'}"] = access.words
    return columns


@pytest.mark.oracle
@pytest.mark.parametrize(("folder", "case"), cases())
def test_every_number(folder, case):
    config, topology = read_config(folder / case["config"]), read_topology(folder / case["topology"])
    reports = report_topology(config, topology)
    rows = read(folder / case["file"])
    assert rows
    for row in rows:
        layer, report = topology.layers[int(row["layer_id"])], reports[int(row["layer_id"])]
        assert (layer.name, layer.m, layer.k, layer.n) == (row["layer_name"], *(int(row[key]) for key in "MKN"))
        expected = {name: value for name, value in row.items() if name in numbers(report)}
        assert len(expected) == len(numbers(report)), "a column is missing"
        if not config.estimates_bandwidth:
            expected["total_cycles"] = str(int(expected["total_cycles"]) - int(expected["stall_cycles"]))
        for name, ours in numbers(report).items():
            if not expected[name] or (ours is None and not config.estimates_bandwidth):
                continue  # not run there, or a stall of USER mode
            theirs = float(expected[name])
            assert ours == (pytest.approx(theirs, rel=CLOSE) if name.endswith("_pct") else theirs), (
                row["layer_name"],
                name,
            )
