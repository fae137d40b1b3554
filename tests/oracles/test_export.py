"""Exported QDQ files in ONNX Runtime, and back into hwsim: the integers of the quantized graph.

Where ONNX Runtime fuses a whole graph into integer operators, every code is equal. That is checked with 7-bit weights, or with
unsigned activations and weights: on CPUs without VNNI its kernel for uint8 x int8 saturates pairs of full-range products. What
it leaves in float32 (4-bit types, odd widths, 16 bits) may put a value beside a tie on the other side.
"""

from collections import Counter

import numpy as np
import onnx
import pytest

import hwsim
from hwsim.interchange.onnx import write_qdq
from hwsim.interchange.qonnx import write_qonnx
from tests.integers import every_tensor

pytestmark = pytest.mark.oracle
KEYS = ["datapath.psum=exact", "datapath.accumulator=int32:wrap", "datapath.requantizer=float32"]
PLAIN = hwsim.accelerator("edge_16x16", overrides=KEYS)
RUNTIME = hwsim.accelerator("edge_16x16", overrides=[*KEYS, "datapath.arithmetic=onnxruntime"])
NETWORKS = ["digits_resnet", "digits_mobilenet"]
IMAGES = 60


def quantized(network, weights, activations, granularity):
    graph, shown = hwsim.load(network), hwsim.dataset(network, "calibration")
    inputs = {name: hwsim.dataset(network, "test")[name][:IMAGES] for name in graph.inputs}
    symmetry = "asymmetric" if weights.startswith("u") else "symmetric"
    made = hwsim.quantize(
        graph, weights=weights, activations=activations, weight_granularity=granularity, weight_symmetry=symmetry,
        calibration=shown,
    )  # fmt: skip
    return made, inputs


def in_runtime(path, inputs, folder, *, fused=True):
    """Return the outputs, and how often each operator is left in the optimized graph."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install .[oracle])")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    levels = runtime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if fused else levels.ORT_DISABLE_ALL
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    kept = Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)
    return dict(zip(names, session.run(None, inputs), strict=True)), kept


def apart(graph, values, codes):
    """Return how many outputs differ, and by how many codes at most."""
    steps = [
        np.abs(graph.tensors[name].quant.encode(value).astype(np.int64) - codes[name].astype(np.int64))
        for name, value in values.items()
    ]
    return sum(int(np.count_nonzero(step)) for step in steps), max(int(step.max()) for step in steps)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("weights", "granularity"), [("int7", "channel"), ("int7", "tensor"), ("uint8", "tensor")])
def test_fused_graphs_are_equal(network, weights, granularity, tmp_path):
    graph, inputs = quantized(network, weights, "uint8", granularity)
    assert write_qdq(graph, tmp_path / "q.onnx") == ()
    values, kept = in_runtime(tmp_path / "q.onnx", inputs, tmp_path)
    assert kept["QuantizeLinear"] == kept["DequantizeLinear"] == 1
    assert apart(graph, values, every_tensor(graph, RUNTIME, inputs)) == (0, 0)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("weights", "activations", "most"),
    [("int8", "uint8", 0.01), ("int4", "uint8", 0.01), ("int4", "uint4", 0.01), ("int3", "uint6", 0.01), ("int2", "uint3", 0.01), ("int8n", "int8n", 0.01)],
)  # fmt: skip
def test_unfused_graphs_are_next_to_equal(network, weights, activations, most, tmp_path):
    graph, inputs = quantized(network, weights, activations, "channel")
    write_qdq(graph, tmp_path / "q.onnx")
    values, _ = in_runtime(tmp_path / "q.onnx", inputs, tmp_path, fused=False)
    differ, worst = apart(graph, values, every_tensor(graph, PLAIN, inputs))
    assert worst <= 2
    assert differ <= most * IMAGES * 10


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("weights", "activations"), [("int4", "uint4"), ("int2", "uint2"), ("int3", "uint6"), ("int8", "uint16")]
)
def test_narrow_types_load_at_every_level(network, weights, activations, tmp_path):
    graph, inputs = quantized(network, weights, activations, "channel")
    write_qdq(graph, tmp_path / "q.onnx")
    for fused in (True, False):
        assert in_runtime(tmp_path / "q.onnx", inputs, tmp_path, fused=fused)[0]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize(
    ("weights", "activations"), [("int8", "uint8"), ("int4", "uint8"), ("int4", "uint4"), ("int5n", "uint6")]
)
@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
def test_there_and_back(network, weights, activations, granularity, write, tmp_path):
    """Read again, the file has every tensor under its name, with the same codes on the same machine."""
    graph, inputs = quantized(network, weights, activations, granularity)
    write(graph, tmp_path / "q.onnx")
    back = hwsim.load(tmp_path / "q.onnx")
    assert Counter(node.op for node in back.nodes) == Counter(node.op for node in graph.nodes)
    expected, found = every_tensor(graph, PLAIN, inputs), every_tensor(back, PLAIN, inputs)
    assert set(expected) == set(found)
    for name, codes in expected.items():
        assert np.array_equal(codes, found[name]), name


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("weights", "group", "opset"), [("int4", 16, 21), ("int7", 1000, 13)])
def test_scales_found_at_run_time(network, weights, group, opset, fused, tmp_path):
    """Sums are of float32 in any order there, so that a code beside a tie may be its neighbour: logits are near, labels equal."""
    machine = hwsim.accelerator("edge_16x16", overrides=[*KEYS, "datapath.segment_scaling=float32"])
    shown = {"image": hwsim.dataset(network, "calibration")["image"][:16]}
    graph = hwsim.quantize(
        hwsim.load(network), recipe="zeroquant_groups", options={"group": group}, weights=weights, calibration=shown,
        accelerator=machine,
    )  # fmt: skip
    inputs = {"image": hwsim.dataset(network, "test")["image"][:IMAGES]}
    write_qdq(graph, tmp_path / "q.onnx")
    assert onnx.load(tmp_path / "q.onnx").opset_import[0].version == opset
    values, _ = in_runtime(tmp_path / "q.onnx", inputs, tmp_path, fused=fused)
    ours = every_tensor(graph, machine, inputs)["logits"]
    np.testing.assert_allclose(values["logits"], ours, atol=0.02 * np.abs(ours).max())
    np.testing.assert_array_equal(values["logits"].argmax(axis=1), ours.argmax(axis=1))
