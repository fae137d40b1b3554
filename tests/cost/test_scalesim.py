"""SCALE-Sim 3.0.0's own cycle and SRAM counts, where its physics are ours, through our functions.

Its total is one less than the cycles that pass (it reports the index of the last one); its output sizes, rounded up, are
taken from its report. Output-stationary folds have no drain there.
"""

import csv
from pathlib import Path

import pytest

from hwsim.cost.array_cycles import gemm_cycles
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import array_reads
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.mapping import Mapping
from tests.cost.machines import gemm
from tests.cost.reference import reference_data

FLOWS = {"ws": "weight_stationary", "os": "output_stationary", "is": "input_stationary"}
FOLDER = reference_data() / "scalesim"
REPORTS = sorted(path.name for path in FOLDER.glob("*_CALC.csv"))
if not REPORTS:
    pytest.skip("no SCALE-Sim reports in the reference data", allow_module_level=True)


def array_of(report):
    _, size, flow, _ = Path(report).stem.rsplit("_", 3)
    rows, columns = map(int, size.split("x"))
    return SystolicArray(
        dataflow=FLOWS[flow], rows=rows, columns=columns, drain="none", overlap_load=False, overlap_drain=False
    )


@pytest.mark.parametrize("report", REPORTS)
def test_cycles_and_sram_counts(report):
    array = array_of(report)
    with (FOLDER / report).open(newline="") as file:
        for row in csv.DictReader(file):
            m, n, k = (int(row[key]) for key in "MNK")
            stall = int(row["stall_cycles"] or 0)
            assert gemm_cycles(array, m, k, n).total - 1 == int(row["total_cycles"]) - stall
            whole = Mapping(gemm=gemm(m, k, n), array=array, tile_m=m, tile_k=k, tile_n=n)
            steps = steps_of(whole)
            for operand, column in (("ifmap", "sram_ifmap_reads"), ("weight", "sram_filter_reads")):
                assert array_reads(whole, steps, operand).sum() == int(row[column])
            folds = -(-m // array.rows) * -(-n // array.columns)
            extra = folds * (array.rows + array.columns) if array.flow.reduces_in_time else 0  # its bug: R + C a fold
            assert array_reads(whole, steps, "psum").sum() == int(row["sram_ofmap_writes"]) - extra
