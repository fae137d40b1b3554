"""MatMulNBits: packed weights with a scale per block of k."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import GraphError
from hwsim.interchange.onnx import read_onnx
from hwsim.interchange.onnx.normalize.quantized.low_bit import unpacked


@settings(deadline=None)
@given(st.sampled_from([2, 4, 8]), st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_unpacked(bits, seed, count):
    """Packing by hand and unpacking gives the codes back."""
    codes = np.random.default_rng(seed).integers(0, 1 << bits, (3, count * 8 // bits))
    each = 8 // bits
    packed = [[sum(int(c) << (bits * i) for i, c in enumerate(row[at : at + each])) for at in range(0, len(row), each)]
              for row in codes]  # fmt: skip
    np.testing.assert_array_equal(unpacked(np.array(packed, np.uint8), bits), codes)


def model(build, k=10, n=3, bits=4, block=4, **changed):
    blocks = -(-k // block)
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.integers(0, 256, (n, blocks, block * bits // 8)).astype(np.uint8),
        "s": rng.uniform(0.5, 1, n * blocks).astype(np.float32),
        "z": rng.integers(0, 256, n * -(-blocks * bits // 8)).astype(np.uint8),
    } | changed
    attributes = {"K": k, "N": n, "bits": bits, "block_size": block}
    node = ("com.microsoft.MatMulNBits", ["x", *constants], ["y"], attributes)
    return build([node], {"x": [2, k]}, constants=constants), constants


def test_structure(build):
    """Three blocks of four 4-bit codes, the last one cut at k = 10; their zero points take two bytes for each column."""
    proto, constants = model(build)
    weight = read_onnx(proto).tensors["w.unpacked"]
    assert (weight.shape, str(weight.quant.format), str(weight.quant.granularity)) == (
        (10, 3), "uint4", "block(axis=0, size=4)",
    )  # fmt: skip
    for column in range(3):
        for k in range(10):
            byte = constants["w"][column, k // 4, k % 4 // 2]
            code = int(byte) >> (4 * (k % 2)) & 15
            zero = int(constants["z"].reshape(3, 2)[column, k // 8]) >> (4 * (k // 4 % 2)) & 15
            assert weight.codes[k, column] == code
            expected = np.float32(code - zero) * constants["s"].reshape(3, 3)[column, k // 4]
            assert weight.data[k, column] == expected


def test_zero_points_are_the_middle_without_any(build):
    _, constants = model(build)
    attributes = {"K": 10, "N": 3, "bits": 4, "block_size": 4}
    del constants["z"]
    node = ("com.microsoft.MatMulNBits", ["x", "w", "s"], ["y"], attributes)
    graph = read_onnx(build([node], {"x": [2, 10]}, constants=constants))
    assert set(graph.tensors["w.unpacked"].quant.zero_point) == {8}


@pytest.mark.parametrize(("changed", "reason"), [
    ({"w": np.zeros((3, 2, 2), np.uint8)}, "the weight [3, 2, 2] must hold 3 x 3 blocks of 4 4-bit codes as uint8"),
    ({"s": np.ones(5, np.float32)}, "5 scales do not fit 3 x 3 blocks"),
    ({"z": np.ones(6, np.float32)}, "zero points of type float32 are not supported; store them as packed uint8"),
    ({"g": np.zeros(6, np.int32)}, "g_idx 'g', which permutes k, is not supported; export the model without it"),
])  # fmt: skip
def test_refused(build, changed, reason):
    with pytest.raises(GraphError) as caught:
        read_onnx(model(build, **changed)[0])
    assert str(caught.value) == f"small: node 'MatMulNBits_y' (com.microsoft.MatMulNBits): {reason}"
