"""Grids: which scale an element has, both orders of quantization, and what a grid refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding


def grid(text, scale=(1.0,), zero_point=(0,), **keys):
    return QuantParams(format=parse_format(text), scale=tuple(scale), zero_point=tuple(zero_point), **keys)


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    axis=st.integers(0, 2),
    block=st.none() | st.integers(1, 7),
)
def test_every_element_has_the_scale_of_its_group(shape, axis, block):
    axis = min(axis, len(shape) - 1)
    granularity = Granularity(axis=axis, block=block)
    scales = np.arange(1, 1 + np.prod(granularity.scale_shape(tuple(shape)), dtype=int))
    spread = np.broadcast_to(granularity.spread(scales, tuple(shape)), shape)
    for index in np.ndindex(*shape):
        own = index[axis] if block is None else index[axis] // block
        position = (own,) if block is None else (*index[:axis], own, *index[axis + 1 :])
        assert spread[index] == scales.reshape(granularity.scale_shape(tuple(shape)))[position]


def test_blocked_codes_come_back():
    params = grid("int4", (1.0, 2.0, 4.0, 8.0), (0, 1, 2, -3), granularity=Granularity(axis=1, block=2))
    codes = np.array([[1, 2, 3], [4, 5, -6]])
    real = params.decode(codes)
    assert real.tolist() == [[1.0, 2.0, 4.0], [8.0, 12.0, -24.0]]
    assert params.encode(real).tolist() == codes.tolist()
    assert hash(params) == hash(
        grid("int4", (1.0, 2.0, 4.0, 8.0), (0, 1, 2, -3), granularity=Granularity(axis=1, block=2))
    )


def test_the_orders_differ_on_ties_with_an_odd_zero_point():
    x = np.float32([0.5, 1.5, 2.5, -0.5, 999.0])
    onnx, qonnx = (grid("int8", (1.0,), (1,), order=order) for order in QuantOrder)
    assert onnx.encode(x).tolist() == [1, 3, 3, 1, 127]
    assert qonnx.encode(x).tolist() == [2, 2, 4, 0, 127]


@pytest.mark.parametrize("order", list(QuantOrder))
@pytest.mark.parametrize("rounding", list(Rounding))
@given(x=st.integers(-80, 80), zero_point=st.integers(-8, 7))
def test_rounding_of_either_order(order, rounding, x, zero_point):
    """Quarters are exact, so the definition in words can be computed on integers."""
    from hwsim.numerics.rounding import rounding_shift

    params = grid("int4", (1.0,), (zero_point,), order=order, rounding=rounding)
    if order is QuantOrder.ROUND_THEN_OFFSET:
        expected = min(max(rounding_shift(x, 2, rounding) + zero_point, -8), 7)
    else:
        expected = rounding_shift(min(max(x + 4 * zero_point, -32), 28), 2, rounding)
    assert params.encode(np.float32([x / 4])).tolist() == [expected]


def test_other_formats_are_scaled_and_cast():
    params = grid("fp8e4m3fn", (0.5,))
    codes = params.encode(np.float32([0.5, -1.0, 1e6]))
    assert codes.dtype == params.storage_dtype == np.uint8
    assert params.decode(codes).tolist() == [0.5, -1.0, 224.0]
    assert params.decode(codes).dtype == np.float32
    lossy = grid("fp8e4m3fn", (0.5,), saturate=False)
    assert np.isnan(lossy.decode(lossy.encode(np.float32([1e6])))).all()
    assert grid("bipolar", (0.25,)).decode(np.array([0, 1])).tolist() == [-0.25, 0.25]


def test_what_a_grid_refuses():
    cases = [
        (lambda: grid("int8", (1.0, 2.0), (0, 0)), "a per-tensor grid has one scale, not 2"),
        (lambda: grid("int8", (1.0,), (0, 0)), "1 scales need as many zero points, not 2"),
        (lambda: grid("int8", (0.0,)), "scale must be positive and finite, not 0.0"),
        (lambda: grid("int8", (1.0,), (128,)), "zero point 128 is not a code of int8"),
        (lambda: grid("fp16", (1.0,), (1,)), "only integers have a zero point, so fp16 has 0, not 1"),
        (lambda: grid("fp16", order=QuantOrder.OFFSET_CLAMP_ROUND), "is one of integers, not of fp16"),
        (lambda: grid("int8", saturate=False), "integer codes saturate"),
        (lambda: grid("fp16").integers, "integers are needed here, not fp16"),
        (lambda: Granularity(block=4), "a block needs an axis"),
        (lambda: Granularity(axis=-1), "counted from the front"),
        (lambda: Granularity(axis=2).scale_shape((3, 4)), r"does not exist in a tensor of shape \(3, 4\)"),
        (lambda: Granularity(axis=0, block=4).shape(2, 1), "do not broadcast"),
        (
            lambda: Granularity(axis=0, block=4).spread(np.ones(3), (8,)),
            r"has 2 scales, one per block\(axis=0, size=4\), not 3",
        ),
        (lambda: QuantParams(format=parse_format("int8")).scales(), "has no scale yet"),
    ]
    for attempt, message in cases:
        with pytest.raises(HwsimError, match=message):
            attempt()


def test_only_scales_of_blocks_may_be_negative():
    number = parse_format("uint4")
    blocks = QuantParams(format=number, scale=(-0.5, 0.25), zero_point=(8, 8), granularity=Granularity(axis=0, block=2))
    codes = np.array([0, 15, 8, 9], np.uint8)
    assert blocks.decode(codes).tolist() == [4.0, -3.5, 0.0, 0.25]
    assert np.array_equal(blocks.encode(blocks.decode(codes)), codes)
    with pytest.raises(HwsimError, match="positive and finite"):
        QuantParams(format=number, scale=(-0.5,), zero_point=(8,))
