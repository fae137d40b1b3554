"""One tensor rounded, everything else real: the part behind it against the whole network run anew."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import outputs
from hwsim.quantization.allocate.sensitivity.outputs import outputs_by_width
from tests.quantization.allocate.small import GRAPH, IMAGES, variants

FOUND = variants()
CHOICES = FOUND.choices({"weights": (2, 8), "activations": (4,)})


def anew(knob, bits):
    """Run the whole network with the knob's tensor rounded, in one piece."""
    tensor = FOUND.tensor(knob, bits)
    if knob.key == "weights":
        rounded = replace(tensor, data=tensor.quant.decode(tensor.quant.encode(tensor.data)), quant=None)
        return run_float(GRAPH.with_changes(tensors=[rounded]), IMAGES)["logits"]
    values = run_float(GRAPH, IMAGES, keep=[tensor.name, "sum", "pool"])
    values[tensor.name] = tensor.quant.decode(tensor.quant.encode(values[tensor.name]))
    if tensor.name == "sum":
        values["pool"] = values["sum"].mean(axis=(2, 3), keepdims=True)
    weight, bias = (GRAPH.tensors[name].data for name in GRAPH.node_of["logits"].inputs[1:])
    return values["pool"].reshape(len(values["pool"]), -1) @ weight + bias


@pytest.mark.parametrize("chunk", [1 << 21, 1])
def test_tail_is_the_network(chunk, monkeypatch):
    monkeypatch.setattr(outputs, "chunk_size", lambda graph: max(1, min(chunk, 5)))
    found = {}
    for knob, b, exact, rounded in outputs_by_width(FOUND, CHOICES, IMAGES, "test"):
        found.setdefault((knob, b), []).append(rounded["logits"])
        assert exact.keys() == {"logits"}
    for (knob, b), parts in found.items():
        if knob.key == "weights" or knob.layer in ("sum", "pool"):
            np.testing.assert_allclose(np.concatenate(parts), anew(knob, b), rtol=1e-4, atol=1e-5)
    assert Knob("sum", "activations") in {knob for knob, _ in found}
