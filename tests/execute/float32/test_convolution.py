"""Convolution and pooling against their definitions, written as loops."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.graph import Node


def slow_conv(x, weight, bias, strides, pads, dilations, groups):
    """The definition: one product after the other, in float64."""
    top, left, bottom, right = pads
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    out, depth, kh, kw = weight.shape
    rows = (x.shape[2] - dilations[0] * (kh - 1) - 1) // strides[0] + 1
    cols = (x.shape[3] - dilations[1] * (kw - 1) - 1) // strides[1] + 1
    y = np.zeros((len(x), out, rows, cols))
    for o in range(out):
        first = o // (out // groups) * depth
        for i in range(rows):
            for j in range(cols):
                r, c = i * strides[0], j * strides[1]
                window = x[:, first : first + depth, r:, c:]
                window = window[
                    :, :, : dilations[0] * (kh - 1) + 1 : dilations[0], : dilations[1] * (kw - 1) + 1 : dilations[1]
                ]
                y[:, o, i, j] = (window * weight[o]).sum(axis=(1, 2, 3)) + bias[o]
    return y


small = st.integers(1, 3)


@settings(max_examples=150, deadline=None)
@given(
    batch=small, groups=small, depth=small, multiple=small, size=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    kernel=st.tuples(small, small), strides=st.tuples(small, small), dilations=st.tuples(small, small),
    pads=st.tuples(*[st.integers(0, 2)] * 4), seed=st.integers(0, 2**31),
)  # fmt: skip
def test_conv_is_its_definition(batch, groups, depth, multiple, size, kernel, strides, dilations, pads, seed):
    for i in (0, 1):
        assume(size[i] + pads[i] + pads[i + 2] >= dilations[i] * (kernel[i] - 1) + 1)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, groups * depth, *size)).astype(np.float32)
    weight = rng.standard_normal((groups * multiple, depth, *kernel)).astype(np.float32)
    bias = rng.standard_normal(groups * multiple).astype(np.float32)
    attributes = {"kernel": kernel, "strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    node = Node(name="c", op="Conv", inputs=("x", "w", "b"), outputs=("y",), attributes=attributes)
    (y,) = FLOAT_OPS["Conv"](node, [x, weight, bias])
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, slow_conv(x, weight, bias, strides, pads, dilations, groups), rtol=1e-4, atol=1e-4)


def test_blocks_of_the_batch_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((5, 3, 8, 8), np.float32), rng.standard_normal((4, 3, 3, 3), np.float32)
    attributes = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}
    node = Node(name="c", op="Conv", inputs=("x", "w"), outputs=("y",), attributes=attributes)
    whole = FLOAT_OPS["Conv"](node, [x, weight])[0]
    monkeypatch.setattr("hwsim.execute.float32.convolution._BLOCK_BYTES", 1)
    assert np.array_equal(FLOAT_OPS["Conv"](node, [x, weight])[0], whole)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.float32])
def test_max_pool_keeps_the_dtype(dtype):
    x = np.arange(-8 if np.dtype(dtype).kind != "u" else 0, 17, dtype=dtype)[:16].reshape(1, 1, 4, 4)
    attributes = {
        "kernel": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1), "ceil_mode": False, "dilations": (1, 1),
    }  # fmt: skip
    node = Node(name="p", op="MaxPool", inputs=("x",), outputs=("y",), attributes=attributes)
    (y,) = FLOAT_OPS["MaxPool"](node, [x])
    assert y.dtype == dtype
    assert y[0, 0].tolist() == [[x[0, 0, 1, 1], x[0, 0, 1, 3]], [x[0, 0, 3, 1], x[0, 0, 3, 3]]]
