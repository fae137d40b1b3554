"""Quantized execution of both digit networks equals an independent int64 model, integer for integer, tensor for tensor."""

import numpy as np
import pytest

import hwsim
from tests.execute.integer import independent
from tests.integers import every_tensor

IMAGES = 12


@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
@pytest.mark.parametrize(
    ("weights", "activations", "granularity", "requantizer"),
    [
        ("int8", "uint8", "channel", "fixed_point"),
        ("int8", "uint8", "tensor", "float32"),
        ("int4", "int8", "channel", "fixed_point:16:half_up"),
        ("int3", "uint5", "channel", "float32"),
    ],
)
def test_every_tensor_is_equal(network, weights, activations, granularity, requantizer):
    scheme, *rest = requantizer.split(":")
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", f"datapath.requantizer={requantizer}"])
    graph = hwsim.quantize(
        hwsim.load(network),
        weights=weights,
        activations=activations,
        weight_granularity=granularity,
        calibration=hwsim.dataset(network, "calibration"),
    )
    images = hwsim.dataset(network, "test")["image"][:IMAGES]
    ours = every_tensor(graph, machine, {"image": images})
    theirs = independent.run(graph, images, scheme, int(rest[0]) if rest else 32)
    assert set(ours) == set(theirs)
    for name, codes in theirs.items():
        np.testing.assert_array_equal(ours[name].astype(np.int64), codes, err_msg=name)
        assert len(np.unique(codes)) > 1, f"{name} is constant, so the comparison proves nothing"
