"""Every machine that ships is scheduled and priced, with a network as wide as its multiplier takes."""

import pytest

import hwsim
from hwsim.cost import cost
from hwsim.hardware import preset_names
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.schedule import Options, schedule


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
def test_runs(name, network):
    machine = hwsim.accelerator(name)
    weights = machine.datapath.multiplier_weight_bits or 8
    activations = machine.datapath.multiplier_activation_bits or 8
    unsigned = "" if machine.datapath.psum.bits is None and machine.datapath.mac.is_floating else "u"
    graph = hwsim.quantize(
        hwsim.load(network),
        weights=f"int{min(weights, 8)}",
        activations=f"{unsigned}int{min(activations, 8)}",
        boundary_bits=1,
    )
    works = [task for task in lower(graph) if isinstance(task.work, Gemm)]
    for options in (Options(), Options(objective="cycles", residency=False, prefetch=False)):
        plan = schedule(graph, machine, options)
        report = cost(graph, machine, plan)
        assert set(plan.mappings) == {task.layer for task in works}
        assert report.layers.sum("macs") == sum(task.work.macs for task in works)
        least = machine.array.rows * machine.array.columns
        assert report.layers.sum("cycles") * least * 16 >= report.layers.sum("macs")
        assert report.energy.sum("energy_pj") > 0
        if not options.residency:
            assert not plan.resident
            assert all(row["dram_bytes"] > 0 for row in report.layers.rows() if row["cycles"])
