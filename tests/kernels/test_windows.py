"""im2col, pooling and look-up against loops over single elements."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.im2col import im2col
from hwsim.kernels.lookup import lookup
from hwsim.kernels.pool import max_pool, sum_pool


@st.composite
def windows(draw):
    """A feature map and windows over it, with up to one output more than the padded input has (``ceil_mode``)."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.int8, np.uint8, np.int16, np.int64]))
    shape = [draw(st.integers(1, high)) for high in (2, 3, 7, 7)]
    x = random.integers(max(np.iinfo(dtype).min, -128), 127, shape, dtype)
    axes = []
    for size in shape[2:]:
        stride, dilation, kernel = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 4))
        pads = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        span = dilation * (kernel - 1) + 1
        room = size + sum(pads) - span
        outputs = max(room // stride + 1, 1) + draw(st.integers(0, 1))
        axes.append((kernel, stride, dilation, pads, outputs))
    (kh, sh, dh, (top, bottom), oh), (kw, sw, dw, (left, right), ow) = axes
    return x, ((kh, kw), (sh, sw), (dh, dw), (top, left, bottom, right), oh, ow)


def elements(x, kernel, strides, dilations, pads, i, j):
    """The window of output (i, j): tap, row and column of each element, inside the input or not."""
    for p in range(kernel[0]):
        for q in range(kernel[1]):
            row, column = i * strides[0] + p * dilations[0] - pads[0], j * strides[1] + q * dilations[1] - pads[1]
            yield p, q, row, column, 0 <= row < x.shape[2] and 0 <= column < x.shape[3]


@given(case=windows(), pad_value=st.integers(0, 100))
def test_im2col(case, pad_value):
    x, (kernel, strides, dilations, pads, oh, ow) = case
    got = im2col(x, kernel, strides, dilations, pads, pad_value, oh, ow)
    batch, channels = x.shape[:2]
    assert got.shape == (batch * oh * ow, channels * kernel[0] * kernel[1])
    assert got.dtype == x.dtype
    table = got.reshape(batch, oh, ow, channels, *kernel)
    for b, i, j, c in np.ndindex(batch, oh, ow, channels):
        for p, q, row, column, inside in elements(x, kernel, strides, dilations, pads, i, j):
            assert table[b, i, j, c, p, q] == (x[b, c, row, column] if inside else pad_value)


@settings(deadline=None)
@given(case=windows(), zero_point=st.integers(-3, 3))
def test_pools(case, zero_point):
    x, (kernel, strides, dilations, pads, oh, ow) = case
    seen = {(i, j): list(elements(x, kernel, strides, dilations, pads, i, j)) for i in range(oh) for j in range(ow)}
    if not all(any(element[4] for element in window) for window in seen.values()):
        with pytest.raises(ExecutionError, match="holds no element"):
            max_pool(x, kernel, strides, dilations, pads, oh, ow)
        return
    largest = max_pool(x, kernel, strides, dilations, pads, oh, ow)
    assert largest.dtype == x.dtype
    arguments = (x, kernel, strides, dilations, pads, oh, ow)
    sums, counts = sum_pool(*arguments, zero_point=zero_point)
    padded_counts = sum_pool(*arguments, include_pad=True)[1]
    for (i, j), window in seen.items():
        for b, c in np.ndindex(*x.shape[:2]):
            values = [int(x[b, c, row, column]) for _, _, row, column, inside in window if inside]
            assert largest[b, c, i, j] == max(values)
            assert sums[b, c, i, j] == sum(values) - zero_point * len(values)
            assert counts[i, j] == len(values)
        assert padded_counts[i, j] == sum(
            row < x.shape[2] + pads[2] and column < x.shape[3] + pads[3] for _, _, row, column, _ in window
        )


def test_a_padding_value_that_is_no_code_is_refused():
    with pytest.raises(ExecutionError, match="int8 codes cannot hold the padding value 128"):
        im2col(np.zeros((1, 1, 2, 2), np.int8), (1, 1), (1, 1), (1, 1), (1, 1, 1, 1), 128, 4, 4)
    with pytest.raises(ExecutionError, match="max_pool: needs integers"):
        max_pool(np.zeros((1, 1, 2, 2)), (1, 1), (1, 1), (1, 1), (0, 0, 0, 0), 2, 2)


@pytest.mark.parametrize(("dtype", "minimum"), [(np.int8, -128), (np.uint8, 0)])
def test_lookup_of_every_code(dtype, minimum):
    codes = np.arange(minimum, minimum + 256).astype(dtype).reshape(16, 16)
    table = np.random.default_rng(0).integers(-128, 128, 256).astype(np.int8)
    got = lookup(codes, table, minimum)
    assert got.dtype == np.int8
    assert got.ravel().tolist() == table.tolist()
    with pytest.raises(ExecutionError, match="lookup: codes lie in"):
        lookup(codes, table[:-1], minimum)
    with pytest.raises(ExecutionError, match="one row of entries"):
        lookup(codes, table[None], minimum)
