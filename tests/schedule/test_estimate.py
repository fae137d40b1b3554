"""A whole plan in one call is what the cost model says, on the machine of the plan and on others."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.cost import cost
from hwsim.cost.ledger import STALLS
from hwsim.errors import MappingError
from hwsim.kernels.timing import Counts
from hwsim.schedule import Options, schedule
from hwsim.schedule.estimate import Estimator

OTHERS = (
    (),
    ("array.rows=8", "array.columns=32"),
    ("array.dataflow=output_stationary",),
    ("dram.bits_per_cycle=16", "dram.latency_cycles=7"),
    ("dram.separate_writes=true", "vector.lanes=3", "vector.requantizer_lanes=2"),
    ("memory.ifmap.read_bits_per_cycle=32", "memory.ofmap.ports=1rw", "memory.weights.size_bytes=131072"),
    ("clock_mhz=50",),
)


@pytest.fixture(scope="module", params=["digits_resnet", "digits_mobilenet"])
def graph(request):
    return hwsim.quantize(hwsim.load(request.param))


@pytest.fixture(scope="module", params=["edge_16x16", "gemmini_16x16"])
def base(request):
    return request.param


@pytest.mark.parametrize("options", [Options(), Options(residency=False, prefetch=False)], ids=["all", "plain"])
def test_equals_the_cost_model(graph, base, options):
    plan = schedule(graph, hwsim.accelerator(base), options)
    estimator = Estimator(graph, hwsim.accelerator(base), plan)
    names = {memory.name for memory in hwsim.accelerator(base).memory}
    for overrides in OTHERS:
        if not all(text.split(".")[1] in names for text in overrides if text.startswith("memory.")):
            continue
        machine = hwsim.accelerator(base, overrides=overrides)
        for _ in range(2):  # the second call reuses what the first prepared
            found = estimator(machine)
            mappings = {name: replace(one, array=machine.array) for name, one in plan.mappings.items()}
            table = cost(graph, machine, replace(plan, mappings=mappings)).layers
            assert found.cycles == table.sum("cycles"), overrides
            assert len(found.counts) == len(estimator.layers)
            rows = {row["layer"]: row for row in table.rows()}
            for layer, counts in zip(estimator.layers, found.counts, strict=True):
                row = rows[layer]
                assert counts[Counts.END] == row["cycles"]
                for stall in STALLS:
                    assert counts[Counts[stall.upper()]] == row[f"{stall}_cycles"]
            assert found.vector_cycles.sum() == table.sum("cycles") - found.counts[:, Counts.END].sum()


def test_a_result_is_taken_over_only_where_it_is_the_same(graph):
    """Without sharing between equal layers nothing changes."""
    machine = hwsim.accelerator("edge_16x16", overrides=["dram.bits_per_cycle=32"])
    estimator = Estimator(graph, machine, schedule(graph, machine))
    shared = estimator(machine)
    estimator.same = np.arange(len(estimator.same))
    assert np.array_equal(shared.counts, estimator(machine).counts)


def test_machines_that_the_plan_does_not_fit(graph):
    machine = hwsim.accelerator("edge_16x16")
    estimator = Estimator(graph, machine, schedule(graph, machine))
    least = estimator.needed_bytes["weights"]
    estimator(hwsim.accelerator("edge_16x16", overrides=[f"memory.weights.size_bytes={least}"]))
    with pytest.raises(MappingError, match=rf"memory 'weights' has {least - 1} bytes and the plan needs {least}"):
        estimator(hwsim.accelerator("edge_16x16", overrides=[f"memory.weights.size_bytes={least - 1}"]))
    with pytest.raises(MappingError, match="has another datapath than the plan"):
        estimator(hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=int16:wrap"]))
    with pytest.raises(MappingError, match="memory 'weights' holds or buffers other operands"):
        estimator(hwsim.accelerator("edge_16x16", overrides=["memory.weights.double_buffered=false"]))
