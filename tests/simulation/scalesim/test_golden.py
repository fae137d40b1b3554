"""Topologies of our own, whose reports SCALE-Sim 3.0.0 wrote: ours are the same, byte for byte.

Made with NumPy 1.26.4 under Python 3.11: ``scale.py -c CFG -t CSV [-i gemm]``.
"""

from pathlib import Path

import pytest

from hwsim.interchange.scalesim import read_config, read_topology, write_reports
from hwsim.simulation.scalesim import report_topology

FOLDER = Path(__file__).parent / "golden"
RUNS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@pytest.mark.parametrize("run", RUNS)
def test_reports_are_those_of_scalesim(run, tmp_path):
    topology, _, config = run.partition("_")
    reports = report_topology(read_config(FOLDER / f"{config}.cfg"), read_topology(FOLDER / f"{topology}.csv"))
    written = write_reports(tmp_path, reports)
    assert [path.name for path in written] == [
        "COMPUTE_REPORT.csv",
        "BANDWIDTH_REPORT.csv",
        "DETAILED_ACCESS_REPORT.csv",
    ]
    for path in written:
        assert path.read_bytes() == (FOLDER / run / path.name).read_bytes(), path.name


def test_every_dataflow_and_both_forms_are_there():
    assert {run.split("_")[0] for run in RUNS} == {"conv", "gemm"}
    assert {run.split("_")[1] for run in RUNS} == {"ws", "os", "is"}
