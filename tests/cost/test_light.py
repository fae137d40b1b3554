"""A cost-only run loads neither numba nor matplotlib."""

import subprocess
import sys

import pytest

GRAPH = """
import sys, hwsim
graph = hwsim.quantize(hwsim.load("digits_mobilenet"))
machine = hwsim.accelerator("edge_16x16")
"""
CHECK = """
heavy = sorted({name.split(".")[0] for name in sys.modules} & {"numba", "matplotlib"})
assert not heavy, heavy
"""
RUNS = {
    "cost": "from hwsim.cost import cost\nfrom hwsim.schedule import schedule\n"
    "assert cost(graph, machine, schedule(graph, machine)).layers.sum('cycles') > 0",
    "simulate": "assert hwsim.simulate(graph, machine).summary['cycles'] > 0",
}


@pytest.mark.parametrize("name", RUNS)
def test_cost_only(name):
    done = subprocess.run(
        [sys.executable, "-c", GRAPH + RUNS[name] + CHECK], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
