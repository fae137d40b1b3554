"""The cost of a given plan loads neither numba nor matplotlib; a search over mappings compiles."""

import subprocess
import sys

CODE = """
import sys, hwsim
from hwsim.cost import cost
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan
graph = hwsim.quantize(hwsim.load("digits_mobilenet"))
machine = hwsim.accelerator("edge_16x16")
whole = {
    task.layer: Mapping(gemm=task.work, array=machine.array, tile_m=task.work.m, tile_k=task.work.k, tile_n=task.work.n)
    for task in lower(graph) if isinstance(task.work, Gemm)
}
assert cost(graph, machine, Plan(mappings=whole)).layers.sum("cycles") > 0
heavy = sorted({name.split(".")[0] for name in sys.modules} & {"numba", "matplotlib"})
assert not heavy, heavy
"""


def test_cost_of_a_plan():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
