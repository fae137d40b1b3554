"""Convolutions against loops over single windows."""

import ctypes
import mmap
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.gemm import Window, conv_packed, conv_requantized, make_epilogue, pack_kernels
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants

FLOAT32 = Requantizer(scheme="float32")
CODES = [(np.uint8, 0, 255), (np.int8, -128, 127), (np.int16, -3000, 3000), (np.int32, -(10**6), 10**6)]


def windows_one_by_one(x, w, groups, window, zero_point):
    """Return the sums of a convolution, every output from its own slice of the padded input."""
    top, left, bottom, right = window.pads
    spread = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(x.astype(np.int64), spread, constant_values=window.pad_code) - zero_point
    out_h, out_w = window.outputs(*x.shape[2:])
    out = np.zeros((x.shape[0], w.shape[0], out_h, out_w), np.int64)
    per_group, n = w.shape[1], w.shape[0] // groups
    for image, row, column, channel in product(*(range(size) for size in (x.shape[0], out_h, out_w, w.shape[0]))):
        first = channel // n * per_group
        y, z = row * window.strides[0], column * window.strides[1]
        seen = padded[image, first : first + per_group, y:, z:][:, :: window.dilations[0], :: window.dilations[1]]
        taps = seen[:, : window.kernel[0], : window.kernel[1]]
        out[image, channel, row, column] = (taps * w[channel].astype(np.int64)).sum()
    return out


@st.composite
def geometries(draw):
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, strides, dilations = draw(pair), draw(pair), draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    pads = draw(st.tuples(*(st.integers(0, 2) for _ in range(4))))
    size = [dilations[i] * (kernel[i] - 1) + 1 + draw(st.integers(0, 5)) for i in (0, 1)]
    return Window(kernel=kernel, strides=strides, dilations=dilations, pads=pads), size


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    geometry=geometries(),
    batch=st.integers(1, 2),
    # channels per group, outputs per group, groups; one each is depthwise
    layout=st.sampled_from([(1, 1, 17), (1, 1, 32), (1, 1, 3), (3, 5, 1), (2, 3, 2), (1, 2, 3), (20, 4, 1)]),
    codes=st.sampled_from(CODES),
    w_end=st.sampled_from([64, 127, 255, 32767]),
    channels_last=st.booleans(),
)
def test_sums_are_those_of_single_windows(route, seed, geometry, batch, layout, codes, w_end, channels_last):
    (window, size), (per_group, n, groups), (dtype, low, high) = geometry, layout, codes
    random = np.random.default_rng(seed)
    zero_point = int(random.integers(low, high + 1))
    window = Window(
        kernel=window.kernel,
        strides=window.strides,
        dilations=window.dilations,
        pads=window.pads,
        pad_code=zero_point if seed % 2 else low,
    )
    x = random.integers(low, high + 1, (batch, groups * per_group, *size)).astype(dtype)
    w = random.integers(-w_end, w_end + 1, (groups * n, per_group, *window.kernel))
    packed = pack_kernels(w, groups, (low, high), zero_point, route)
    layout = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if channels_last else x
    sums = conv_packed(layout, packed, window)
    expected = windows_one_by_one(x, w, groups, window, zero_point)
    assert sums.shape == expected.shape
    assert (sums == expected).all()


@pytest.mark.parametrize("groups", [1, 4, 8])
@pytest.mark.parametrize("high", [255, 300])
def test_codes_are_those_of_the_sums(route, integers, groups, high):
    """Depthwise, grouped and dense; bytes are finished in the loop, wider codes behind it."""
    window = Window(kernel=(3, 3), strides=(2, 1), pads=(1, 1, 1, 1), pad_code=100)
    x, w = integers(0, 255, (2, 8, 7, 9), np.uint8), integers(-64, 63, (8, 8 // groups, 3, 3))
    bias, multiplier = integers(-5000, 5000, 8), np.linspace(1e-4, 4e-2, 8, dtype=np.float32)
    packed = pack_kernels(w, groups, (0, 255), 100, route)
    constants = Constants(multiplier=multiplier, shift=np.zeros(8, np.int64))
    epilogue = make_epilogue(packed, constants, FLOAT32, bias, zero_point=30, low=0, high=high)
    assert epilogue.is_compiled == (route != "blas" and high == 255)
    done = conv_requantized(x, packed, window, epilogue)
    sums = conv_packed(x, packed, window) + bias[:, None, None]
    wanted = np.rint(sums.astype(np.float32) * multiplier[:, None, None]) + 30
    assert (done.codes == np.clip(wanted, 0, high)).all()
    assert (done.below, done.above) == ((wanted < 0).sum(), (wanted > high).sum())
    assert done.peak == np.abs(sums).max()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects a page by mprotect")
@pytest.mark.parametrize("groups", [1, 5])
def test_no_code_behind_the_map_is_read(route, integers, groups):
    """The map ends where a page begins that must not be read: a read beyond it ends the process."""
    page, shape = mmap.PAGESIZE, (1, 5, 3, 5)
    memory = mmap.mmap(-1, 2 * page)
    codes = np.frombuffer(memory, np.uint8, count=75, offset=page - 75).reshape(shape)
    codes[...] = integers(0, 255, shape, np.uint8)
    start = np.frombuffer(memory, np.uint8).ctypes.data
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    assert protect(ctypes.c_void_p(start + page), ctypes.c_size_t(page), 0) == 0
    x, w = codes.transpose(0, 3, 1, 2), integers(-8, 7, (5, 5 // groups, 2, 2))
    window = Window(kernel=(2, 2))
    sums = conv_packed(x, pack_kernels(w, groups, (0, 255), 0, route), window)
    assert (sums == windows_one_by_one(x, w, groups, window, 0)).all()


def test_results_have_their_channels_innermost(integers):
    packed = pack_kernels(integers(-8, 7, (4, 3, 1, 1)), 1, (0, 255))
    sums = conv_packed(integers(0, 255, (2, 3, 5, 6), np.uint8), packed, Window(kernel=(1, 1)))
    assert sums.shape == (2, 4, 5, 6)
    assert sums.transpose(0, 2, 3, 1).flags.c_contiguous


def test_weights_of_another_layer_and_wrong_padding_are_refused(route, integers):
    x, w = integers(0, 255, (1, 6, 5, 5), np.uint8), integers(-8, 7, (4, 3, 3, 3))
    packed = pack_kernels(w, 1, (0, 255), 0, route)
    with pytest.raises(ExecutionError, match=r"6 channels under 9 taps do not meet weights of 1 groups, 27 operands"):
        conv_packed(x, packed, Window(kernel=(3, 3)))
    with pytest.raises(ExecutionError, match=r"padding code 256 lies outside the range 0\.\.255"):
        conv_packed(x[:, :3], packed, Window(kernel=(3, 3), pads=(1, 1, 1, 1), pad_code=256))
