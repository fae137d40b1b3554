"""Modes through the whole simulator: same integers, fewer cycles, fewer bytes, less energy."""

import numpy as np
import pytest

import hwsim
from hwsim.hardware import PrecisionPlan
from hwsim.hardware.precision import PrecisionRule

NETWORK = hwsim.load("digits_resnet")
CALIBRATION = hwsim.dataset("digits_resnet", "calibration")
IMAGES = {name: array[:24] for name, array in hwsim.dataset("digits_resnet", "test").items()}
DENSE_STEM = PrecisionPlan(layer=(PrecisionRule(match="stem.conv", sparsity="dense"),))
PORTS = [f"memory.{name}.read_bits_per_cycle=8192" for name in ("ifmap", "weights", "accumulators")]
PORTS += [
    "memory.accumulators.write_bits_per_cycle=8192",
    "memory.ofmap.write_bits_per_cycle=8192",
    "vector.requantizer_lanes=256",
]


def quantized(bits=8, **keys):
    return hwsim.quantize(NETWORK, weights=f"int{bits}", activations=f"uint{bits}", calibration=CALIBRATION, **keys)


def simulated(graph, *keys, hardware="edge_16x16", inputs=IMAGES):
    return hwsim.simulate(
        graph,
        hwsim.accelerator(hardware, overrides=[*PORTS, *keys] if hardware == "edge_16x16" else list(keys)),
        inputs,
    )


def energy_of(result, component):
    return sum(row["energy_pj"] for row in result.energy.rows() if row["component"] == component)


@pytest.mark.parametrize(
    "mode", ["fixed:4", "fusion:8", "serial:weight:16", "serial:both:16", "packed:8:k", "packed:8:n", "shared:27x18"]
)
@pytest.mark.parametrize("flow", ["weight_stationary", "output_stationary"])
def test_wide_registers_give_the_same_codes_under_every_mode(mode, flow):
    graph, keys = quantized(4), (f"array.dataflow={flow}", "datapath.psum=exact")
    plain, found = simulated(graph, *keys), simulated(graph, *keys, f"datapath.mac={mode}")
    for name, values in plain.outputs.items():
        np.testing.assert_array_equal(found.outputs[name], values)


@pytest.mark.parametrize("mode", ["fusion:8", "serial:weight:4", "serial:activation:4", "packed:8:k", "packed:8:n"])
def test_fewer_bits_are_never_slower_nor_dearer(mode):
    results = [simulated(quantized(bits), f"datapath.mac={mode}", inputs=None).summary for bits in (2, 3, 4, 6, 8)]
    for key in ("cycles", "energy_pj", "dram_bytes"):
        found = [result[key] for result in results]
        assert found == sorted(found), key


def test_a_pruned_network_is_smaller_and_faster_on_a_sparse_array():
    graph = quantized(8, sparsity="2:4", plan=DENSE_STEM)
    dense, sparse = (simulated(graph, f"datapath.sparsity={text}", "dram.burst_bits=1") for text in ("dense", "2:4"))
    for name, values in dense.outputs.items():
        np.testing.assert_array_equal(sparse.outputs[name], values)
    for before, after in zip(dense.layers.rows(), sparse.layers.rows(), strict=True):
        if before["layer"] in ("stem.conv", "head.fc") or before["m"] is None:
            continue
        assert after["compute_cycles"] <= before["compute_cycles"]
        weights = [
            sum(
                row["count"] * row["bits"]
                for row in result.accesses.where(layer=before["layer"], memory="dram", operand="weight").rows()
            )
            for result in (dense, sparse)
        ]
        assert weights[1] * 16 == weights[0] * 10  # half of the codes, 10 bits each
    assert sparse.summary["cycles"] < dense.summary["cycles"]
    assert sparse.summary["energy_pj"] < 0.85 * dense.summary["energy_pj"]


def test_gating_follows_the_zeros_of_the_images():
    graph = quantized(8)
    plain, both = (simulated(graph, f"datapath.zero_gating={gating}") for gating in ("none", "both"))
    priced = simulated(graph, "datapath.zero_gating=both", inputs=None)
    assumed = simulated(graph, "datapath.zero_gating=both", "datapath.zero_share=0.25", inputs=None)
    mac = energy_of(plain, "mac")
    assert energy_of(priced, "mac") == pytest.approx(mac)
    assert energy_of(assumed, "mac") == pytest.approx(0.75 * mac, rel=1e-3)
    stopped = sum(row["count"] for row in both.compute.where(unit="array_gated").rows())
    running = sum(row["count"] for row in both.compute.where(unit="array").rows())
    assert running + stopped == plain.summary["macs"]
    assert energy_of(both, "mac") < 0.6 * mac  # images of digits, and what is left of a ReLU
    assert both.summary["cycles"] == plain.summary["cycles"]


@pytest.mark.parametrize("hardware", ["bitfusion_like_16x32", "stripes_like_16x16", "sparse_2_4_like_16x16"])
def test_presets_run(hardware):
    found = simulated(quantized(4), hardware=hardware)
    assert found.summary["metrics"]["accuracy"] > 0.9
