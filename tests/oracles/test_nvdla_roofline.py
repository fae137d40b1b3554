"""The roofline gives the cycles and the bound of NVIDIA's published performance model of NVDLA, layer by layer.

The model counts 2048 multipliers at 1 GHz, divides by 2.25 where it takes a layer as Winograd, and lets 1 KB pass DRAM in 100
cycles: its KB of traffic are 1024 bytes of the tensors, but 1000 bytes of its 10 GB/s. AlexNet's conv1 is left out: its shape
column says 55 x 55 outputs, its cycles are those of 54 x 54, which is what a window of 11 in steps of 4 over 224 gives.
"""

import csv
from fractions import Fraction
from math import ceil

import pytest

from hwsim.hardware import load_accelerator
from hwsim.reporting.roof import OPERATIONS_PER_MAC, roof_of
from hwsim.units import MEGA
from tests.oracles.reference_data import each_file

pytestmark = pytest.mark.oracle

WINOGRAD = Fraction(9, 4)
BYTES_PER_KB = 1000
CASES = ("sram4M", "nosram")


def integer(row, name):
    return int(float(row[name]))


def is_consistent(row):
    """Whether the row's output size is the one of its own input, window and stride."""
    for size, window, out, stride in (("H", "R", "P", "stride_h"), ("W", "S", "Q", "stride_w")):
        inputs, step = integer(row, size), integer(row, stride)
        places = ceil(inputs / step) if row["pad"] == "True" else (inputs - integer(row, window)) // step + 1
        if places != integer(row, out):
            return False
    return True


def multiplying(path):
    """The rows of a file that multiply and whose shapes agree with themselves; and the names of those that do not."""
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["type"] in ("conv", "fc")]
    good = [row for row in rows if is_consistent(row)]
    return good, [f"{row['net']} {row['layer']}" for row in rows if not is_consistent(row)]


@each_file("energy/nvdla_perf*.csv")
def test_cycles_and_bound(path):
    machine = load_accelerator("nvdla_large_64x32")
    roof, clock = roof_of(machine), machine.clock_mhz * MEGA
    rows, left_out = multiplying(path)
    assert len(rows) > 5 * len(left_out), f"{path.name}: too many inconsistent rows: {left_out}"
    for row in rows:
        place = f"{path.name}: {row['net']} {row['layer']}"
        macs = Fraction(1)
        for name in ("K", "C", "R", "S", "P", "Q"):
            macs *= integer(row, name)
        assert macs == integer(row, "MACs"), place
        operations = OPERATIONS_PER_MAC * (macs / WINOGRAD if row["winograd"] == "True" else macs)
        multiplying_cycles = float(operations) / roof.peak * clock
        for case in CASES:
            assert multiplying_cycles == pytest.approx(float(row[f"{case}_mac_cyc"]), rel=1e-12), place
            moved = float(row[f"{case}_dram_KB"]) * BYTES_PER_KB
            dram_cycles = ceil(round(moved / roof.bytes_per_second * clock, 6))
            assert dram_cycles == integer(row, f"{case}_dram_cyc"), place
            assert max(multiplying_cycles, dram_cycles) == pytest.approx(float(row[f"{case}_max_cyc"])), place
            bound = "MAC" if float(operations) / moved >= roof.ridge else "DRAM"
            assert bound == row[f"{case}_bound"], place


@each_file("energy/nvdla_perf_alexnet.csv")
def test_only_conv1_is_left_out(path):
    assert multiplying(path)[1] == ["AlexNet 1"]
