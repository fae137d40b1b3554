"""MatMuls with scales per row, head and column, written as a file and run by ONNX Runtime: its codes are those of integers."""

import numpy as np
import pytest

import hwsim
from hwsim.graph import runs_on_array
from hwsim.interchange.onnx.write import write_qdq
from tests.execute.integer.positioned import FORMS, drawn_codes, network
from tests.execute.integer.segmented import machine

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install .[oracle])")

pytestmark = pytest.mark.oracle


def writable(rng, form):
    """Return a drawn network whose scales a file can hold: along one axis of a tensor, no groups."""
    while True:
        graph = network(rng, form)
        if all(tensor.quant.granularity.groups is None for tensor in graph.tensors.values()):
            return graph


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("seed", range(15))
def test_codes_are_those_of_onnxruntime(form, seed, tmp_path):
    """It decodes, multiplies in float32 and encodes, so that a tie may round the other way; none of these does."""
    rng = np.random.default_rng([seed, len(form)])
    graph, path = writable(rng, form), tmp_path / "matmul.onnx"
    write_qdq(graph, path)
    read = hwsim.load(path)
    (product,) = (node for node in read.nodes if node.op == "MatMul")
    assert runs_on_array(read, product)
    _, real = drawn_codes(rng, graph, 2)
    (expected,) = onnxruntime.InferenceSession(str(path)).run(None, real)
    (found,) = hwsim.simulate(read, machine("datapath.requantizer=float32"), real).outputs.values()
    np.testing.assert_array_equal(found, expected)
