"""TensorFlow Lite's integer functions on arrays against the model on Python integers, and against the real functions."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.requantizers._double_rounding import double_rounding
from hwsim.numerics.rounding import Rounding, rounding_shift
from hwsim.numerics.vector.tflite import fixed_point, gemmlowp, sigmoid_int16
from hwsim.numerics.vector.tflite.hard_swish import hard_swish
from hwsim.numerics.vector.tflite.interpolated import interpolate, interpolation_table
from hwsim.numerics.vector.tflite.rescaling import float32_factor, float64_factor, mean_constants, sum_constants
from hwsim.numerics.vector.tflite.resize import float_places, integer_places, resize_bilinear
from hwsim.numerics.vector.tflite.sigmoid_int16 import input_steps, logistic_int16, tanh_int16
from hwsim.numerics.vector.tflite.softmax import input_constants, softmax_codes
from hwsim.numerics.vector.tflite.softmax_int16 import softmax_int16
from hwsim.numerics.vector.tflite.table import logistic, table_entries
from tests.numerics.vector import tflite_one

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
CODES16 = np.arange(-32768, 32768)


@given(INT32, INT32)
@example(-(1 << 31), -(1 << 31))
@example(1, 1 << 30)
@example(-1, 1 << 30)
@example(3, -(1 << 30))
def test_high_product(a, b):
    assert int(fixed_point.high_product(np.array([a]), np.array([b]))[0]) == tflite_one.product(a, b)


@given(st.integers(-(1 << 40), 1 << 40), st.integers(0, 40))
def test_division_by_a_power(value, places):
    assert int(fixed_point.divide_by_power(np.array([value]), places)[0]) == rounding_shift(
        value, places, Rounding.HALF_AWAY
    )


@given(INT32, st.integers(1 << 30, (1 << 31) - 1), st.integers(15, 62))
def test_rescale(value, multiplier, shift):
    expected = double_rounding(value, multiplier, shift, saturates=True)
    assert int(fixed_point.rescale(np.array([value]), multiplier, shift)[0]) == expected
    assert tflite_one.rescale(value, multiplier, 31 - shift) == expected


@given(st.floats(-1e6, 1e6, width=32))
@example(0.49999997)
@example(-2.5)
def test_rounding_half_away(value):
    rounded = float(fixed_point.round_half_away(np.array([value], np.float32))[0])
    assert rounded == fixed_point.round_one(value) if abs(value) < 2**22 else rounded == value


@given(st.integers(-(1 << 31), 0))
@example(-1)
@example(-(1 << 24))
def test_exponential(raw):
    got = int(gemmlowp.exp_of_negative(np.array([raw]))[0])
    assert got == tflite_one.exp_of_negative(raw)
    assert abs(got / 2**31 - np.exp(raw / 2**26)) < 3e-7


@given(st.integers(0, (1 << 31) - 1))
def test_reciprocal(raw):
    got = int(gemmlowp.reciprocal_of_one_plus(np.array([raw]))[0])
    assert got == tflite_one.reciprocal_of_one_plus(raw)
    assert abs(got / 2**31 - 1 / (1 + raw / 2**31)) < 8e-9


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-10, 3), st.sampled_from([8, 16]))
def test_softmax(seed, power, bits):
    rng = np.random.default_rng(seed)
    scale = float(np.float32(rng.uniform(1, 2) * 2.0**power))
    rows = rng.integers(-128, 128, (3, int(rng.integers(1, 30))))
    got = softmax_codes(rows, input_constants(scale), bits)
    assert got.tolist() == [tflite_one.softmax(row, scale, bits) for row in rows.tolist()]
    exact = np.exp((rows - rows.max(axis=1, keepdims=True)) * scale)
    assert (
        np.abs(got / 2.0**bits - exact / exact.sum(axis=1, keepdims=True)).max() < 0.51 / 2**bits + 3e-5
    )  # a sum of up to 29 terms in Q12.19


def test_softmax_of_16_bits():
    tables = (
        tflite_one.interpolation_table(np.exp, -10.0, 0.0),
        tflite_one.interpolation_table(lambda x: 1 / (1 + x), 0, 1),
    )
    rng = np.random.default_rng(1)
    for length in (1, 2, 9, 200):
        scale = float(np.float32(10 ** rng.uniform(-5, -3)))
        rows = rng.integers(-32768, 32768, (20, length))
        expected = [tflite_one.softmax_int16(row, scale, *tables) for row in rows.tolist()]
        assert softmax_int16(rows, scale).tolist() == expected


def test_softmax_of_16_bits_is_close_to_the_real_one():
    rng = np.random.default_rng(0)
    for scale in (1e-5, 1e-4, 3e-4):
        rows = rng.integers(-32768, 32768, (20, 37))
        exact = np.exp((rows - rows.max(axis=1, keepdims=True)) * scale)
        error = softmax_int16(rows, scale) / 32768 - exact / exact.sum(axis=1, keepdims=True)
        assert np.abs(error).max() < 5e-4


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 3e-4, 1e-3])
def test_sigmoids_of_16_bits(scale):
    """Close to the functions, monotone, and mirrored."""
    for function, real in ((logistic_int16, lambda x: 1 / (1 + np.exp(-x))), (tanh_int16, np.tanh)):
        got = function(CODES16, scale)
        assert np.abs(got / 32768 - real(CODES16 * scale)).max() < 4e-4
        assert (np.diff(got) >= 0).all()
    if input_steps(scale)[1]:
        return  # steps are rounded, halves up
    assert (tanh_int16(CODES16[1:], scale) == -tanh_int16(-CODES16[1:], scale)).all()
    assert (logistic_int16(CODES16[1:], scale) + logistic_int16(-CODES16[1:], scale) == 32768).all()


def test_interpolation():
    for function, low, high in ((np.exp, -10.0, 0.0), (lambda x: 1 / (1 + x), 0.0, 1.0), (np.tanh, -4.0, 4.0)):
        table = interpolation_table(function, low, high)
        assert table.tolist() == tflite_one.interpolation_table(function, low, high)
        codes = CODES16[::37]
        assert interpolate(table, codes).tolist() == [tflite_one.interpolate(table.tolist(), c) for c in codes.tolist()]


def test_samples_of_the_logistic_function():
    """Entries of the published table."""
    published = {
        0: 32768,
        1: 33451,
        4: 35493,
        16: 43304,
        28: 49975,
        35: 53169,
        48: 57724,
        100: 64536,
        178: 65497,
        255: 65535,
    }
    assert {index: int(sigmoid_int16._samples()[index]) for index in published} == published


@settings(deadline=None, max_examples=40)
@given(st.integers(-7, 3), st.integers(-7, 3))
def test_hard_swish(power, output_power):
    """Powers of two keep every quotient exact; what LiteRT refuses, we refuse."""
    scale, output_scale = 2.0**power, 2.0**output_power
    centred = np.arange(-255, 256)
    if scale / 128 / output_scale >= 1:
        with pytest.raises(HwsimError, match=r"HARD_SWISH: a result scale of .* is below 1/128"):
            hard_swish(centred, scale, output_scale)
        return
    got = hard_swish(centred, scale, output_scale)
    assert got.tolist() == [tflite_one.hard_swish(x, scale, output_scale) for x in centred.tolist()]
    real = centred * scale
    exact = real * np.clip(real + 3, 0, 6) / 6 / output_scale
    reach = np.abs(exact) < 127  # beyond, 16 bits may saturate
    assert np.abs(got - exact)[reach].max() < 0.6 + 0.01 * np.abs(exact[reach]).max()


def test_sum_constants_are_shares_of_twice_the_larger_scale():
    made = sum_constants((0.3, 0.1, 0.05), 8, subtract=True)
    inputs = made.multiplier / 2.0**made.shifts
    first, second = float(np.float32(0.3)), float(np.float32(0.1))
    assert inputs == pytest.approx([0.5, -second / (2 * first)], rel=1e-9)
    total = made.total_multiplier / 2.0**made.shift
    assert total == pytest.approx(2 * first / (2**20 * float(np.float32(0.05))), rel=1e-9)
    assert sum_constants((0.3, 0.1, 0.05), 16).left_shift == 15


def test_factors_round_in_their_own_precision():
    """The bits that float32 drops decide between two multipliers."""
    scales = float(np.float32(0.1)), float(np.float32(0.3)), float(np.float32(0.7))
    single = np.float32(np.float32(scales[0]) * np.float32(scales[1])) / np.float32(scales[2])
    assert float32_factor(*scales) == float(single) != scales[0] * scales[1] / scales[2]
    assert float64_factor(scales[0], scales[2]) == scales[0] / scales[2] != float32_factor(scales[0], 1.0, scales[2])


@given(st.integers(1, 10**6), st.floats(2.0**-8, 8.0, width=32), st.integers(-(10**6), 10**6))
def test_mean_is_the_rounded_mean(count, ratio, total):
    """Two roundings may add up to three quarters."""
    if abs(total) > 128 * count:
        return
    multiplier, shift = mean_constants(ratio, 1.0, count)
    exact = total * ratio / count
    got = int(fixed_point.rescale(np.array([total]), multiplier, shift)[0])
    assert abs(got - exact) <= 0.75 + abs(exact) * 2.0**-28 + 2.0**-29 * abs(total)


@pytest.mark.parametrize("mode", [{}, {"align_corners": True}, {"half_pixel": True}])
def test_resize_corner_by_corner(mode):
    """Four weighted codes, in integers for signed ones."""
    flags = {"align_corners": False, "half_pixel": False} | mode
    rng = np.random.default_rng(4)
    x = rng.integers(-128, 128, (1, 2, 5, 6))
    rows, columns = integer_places(5, 8, **flags), integer_places(6, 4, **flags)
    got = resize_bilinear(x, rows, columns)
    for (_, c, i, j), code in np.ndenumerate(got):
        fy, fx = int(rows.weight[i]), int(columns.weight[j])
        total = 0
        for row, y in ((rows.low[i], 1024 - fy), (rows.high[i], fy)):
            for column, z in ((columns.low[j], 1024 - fx), (columns.high[j], fx)):
                total += int(x[0, c, row, column]) * y * z
        moved = total + (1 << 19 if total > 0 else -(1 << 19))
        assert code == abs(moved) // (1 << 20) * (1 if moved >= 0 else -1)
    close = resize_bilinear((x + 128).astype(np.uint8), float_places(5, 8, **flags), float_places(6, 4, **flags))
    assert np.abs(close - 128 - got).max() <= 1


def test_table_entries_step_by_step():
    codes = np.arange(-128, 128)
    got = table_entries(logistic, codes, ((0.05, 7), (1 / 256, -128)))
    for code, entry in zip(codes.tolist(), got.tolist(), strict=True):
        real = float(np.float32(np.float32(0.05) * np.float32(code - 7)))
        value = np.float32(1 / (1 + np.exp(-real)))
        assert entry == fixed_point.round_one(float(value * np.float32(256))) - 128


def test_table_entries_round_halves_away():
    codes = np.array([-5, -3, -1, 1, 3, 5])
    assert table_entries(lambda x: x, codes, ((0.5, 0), (1.0, 0))).tolist() == [-3, -2, -1, 1, 2, 3]
