"""Every requantization kernel against its definition, exhaustively where narrow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.requantize import requantize
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition, names
from hwsim.numerics.requantizers._constants import Constants
from hwsim.numerics.rounding import Rounding, rounding_shift

roundings = st.sampled_from(list(Rounding))


def check(acc, constants, unit, zero_point, low, high):
    """The kernel's codes and clip counts are those of the definition."""
    got = requantize(acc, constants, unit, zero_point, low, high)
    one = definition(unit.scheme).requantize_one
    per_column = list(zip(constants.multiplier, constants.shift.tolist(), strict=True)) * (
        acc.shape[1] if len(constants.shift) == 1 else 1
    )
    free = [
        [one(int(v), m, s, unit, zero_point, -(1 << 200), 1 << 200) for v, (m, s) in zip(row, per_column, strict=True)]
        for row in acc
    ]
    expected = [
        [one(int(v), m, s, unit, zero_point, low, high) for v, (m, s) in zip(row, per_column, strict=True)]
        for row in acc
    ]
    assert got.codes.tolist() == expected
    assert got.clipped_low == sum(value < low for row in free for value in row)
    assert got.clipped_high == sum(value > high for row in free for value in row)
    assert got.codes.dtype == (np.int32 if low >= -(1 << 31) and high < 1 << 31 else np.int64)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("shift", range(11))
def test_every_ten_bit_value_under_every_shift(rounding, shift):
    values = np.arange(-1024, 1025)
    for multiplier in (1, -1, 3):
        constants = Constants(multiplier=np.array([multiplier]), shift=np.array([shift]))
        got = requantize(values[:, None], constants, Requantizer(rounding=rounding), 0, -5000, 5000)
        assert got.codes[:, 0].tolist() == [rounding_shift(int(v) * multiplier, shift, rounding) for v in values]


@st.composite
def accumulators(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width = draw(st.sampled_from([8, 20, 31, 32, 40, 63]))
    acc = random.integers(-(1 << width), (1 << width) - 1, (7, draw(st.integers(1, 4))), endpoint=True)
    acc[0, 0] = draw(st.sampled_from([-(1 << width), (1 << width) - 1, 0, 1, -1]))
    return acc


@st.composite
def ranges(draw):
    bits = draw(st.sampled_from([1, 4, 8, 16, 24, 25, 32, 48, 60]))
    low = draw(st.sampled_from([0, -(1 << (bits - 1))]))
    high = low + (1 << bits) - 1
    return draw(st.integers(low, high)), low, high


@settings(deadline=None)
@given(acc=accumulators(), data=st.data(), bits=st.integers(2, 32), rounding=roundings, codes=ranges())
def test_fixed_point(acc, data, bits, rounding, codes):
    scales = st.floats(1e-12, 2.0) | st.floats(-4.0, -1e-6) | st.sampled_from([1.0, 0.5, 2.0**-20, 2.0**-70, 3e10])
    real = np.array([data.draw(scales) for _ in range(acc.shape[1])])
    unit = Requantizer(multiplier_bits=bits, rounding=rounding)
    check(acc, definition("fixed_point").constants(real, unit), unit, *codes)


@settings(deadline=None)
@given(data=st.data(), rounding=roundings, codes=ranges(), acc=accumulators())
def test_any_multiplier_and_shift(data, rounding, codes, acc):
    """Ties and shifts that constants would not make: multipliers of few set bits, shifts up to 130 and to the left."""
    n = acc.shape[1]
    multiplier = np.array([data.draw(st.integers(0, 30)) for _ in range(n)])
    multiplier = (1 << multiplier) * np.array([data.draw(st.sampled_from([1, -1])) for _ in range(n)])
    shift = np.array([data.draw(st.integers(-3, 130) | st.integers(28, 34) | st.integers(60, 66)) for _ in range(n)])
    if data.draw(st.booleans()):
        acc = acc >> data.draw(st.integers(0, 30)) << data.draw(st.integers(0, 30))
    check(acc, Constants(multiplier=multiplier, shift=shift), Requantizer(rounding=rounding), *codes)


@settings(deadline=None)
@given(acc=accumulators(), data=st.data(), rounding=roundings, codes=ranges())
def test_power_of_two(acc, data, rounding, codes):
    unit = Requantizer(scheme="power_of_two", rounding=rounding)
    real = 2.0 ** np.array([data.draw(st.integers(-40, 6)) for _ in range(acc.shape[1])])
    check(acc, definition("power_of_two").constants(real, unit), unit, *codes)


@settings(deadline=None)
@given(acc=accumulators(), data=st.data(), codes=ranges())
def test_float32(acc, data, codes):
    unit = Requantizer(scheme="float32")
    scales = st.floats(1e-12, 2.0) | st.floats(-4.0, -1e-6) | st.sampled_from([0.5, 2.0**-20, 1e-44, 3e38])
    real = np.array([data.draw(scales) for _ in range(acc.shape[1])])
    check(acc, definition("float32").constants(real, unit), unit, *codes)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("shift", [0, 1, 31, 32, 33, 62, 63, 64, 93, 94, 95, 96, 200])
def test_products_beyond_64_bits(rounding, shift):
    edges = [-(1 << 63), -(1 << 63) + 1, -(1 << 62), -(1 << 32), -1, 0, 1, 1 << 32, 1 << 62, (1 << 63) - 1]
    for multiplier in (2**31 - 1, -(2**31 - 1), 1 << 30, 1):
        constants = Constants(multiplier=np.array([multiplier]), shift=np.array([shift]))
        for low, high in ((-128, 127), (-(1 << 59), 1 << 59)):
            check(np.array(edges)[:, None], constants, Requantizer(rounding=rounding), 5, low, high)


def test_every_scheme_has_a_kernel():
    for scheme in names():
        constants = definition(scheme).constants(np.array([0.5]), Requantizer(scheme=scheme))
        check(np.array([[6], [-6]]), constants, Requantizer(scheme=scheme), 0, -128, 127)


def test_columns_without_a_multiplier_are_refused():
    with pytest.raises(ExecutionError, match=r"\(2, 3\) must be \[rows, n\] with n or 1 multipliers, not 2"):
        requantize(
            np.ones((2, 3), int), Constants(multiplier=np.ones(2), shift=np.zeros(2, int)), Requantizer(), 0, 0, 1
        )


def test_single_rounding_of_ruy(reference_arrays):
    """``single`` of the C golden file: shift > 0 is to the left, t = 31 - shift (gemmlowp's convention)."""
    arrays = reference_arrays("requant_c_golden.npz")
    column = dict(zip(arrays["cols"].tolist(), arrays["data"].T, strict=True))
    constants = Constants(multiplier=column["mult"], shift=31 - column["shift"])
    got = requantize(column["x"][None, :], constants, Requantizer(), 0, -(2**31), 2**31 - 1)
    assert (got.codes[0] == np.clip(column["single"], -(2**31), 2**31 - 1)).all()


def test_gemmini_rounding_right_shift_and_scale(reference_arrays):
    arrays = reference_arrays("requant_c_golden.npz")
    column = dict(zip(arrays["cols"].tolist(), arrays["data"].T, strict=True))
    unit = Requantizer(scheme="power_of_two", rounding=Rounding.HALF_EVEN)
    constants = Constants(multiplier=np.ones_like(column["sh"]), shift=column["sh"])
    got = requantize(column["x"][None, :], constants, unit, 0, -(2**31), 2**31 - 1)
    assert (got.codes[0] == column["gemmini_rshift"]).all()
    scale = column["scale_bits"].astype(np.uint32).view(np.float32)
    constants = Constants(multiplier=scale, shift=np.zeros(len(scale), np.int64))
    got = requantize(column["x"][None, :], constants, Requantizer(scheme="float32"), 0, -128, 127)
    assert (got.codes[0] == column["gemmini_acc_scale"]).all()


def test_gemmini_accumulator_scale(reference_records):
    records = reference_records("requant_gemmini*.json")
    for record in records:
        scale = np.array([record["scale_bits"]], np.uint32).view(np.float32)
        constants = Constants(multiplier=scale, shift=np.zeros(1, np.int64))
        unit = Requantizer(scheme="float32")
        low = 0 if record["activation"] == "relu" else -128
        got = requantize(np.array(record["input"])[:, None], constants, unit, 0, low, 127)
        assert got.codes[:, 0].tolist() == record["output"], record["scale"]
    assert records


def test_nvdla_output_converter(reference_records):
    """NVDLA SDP: the product shifted, halves away from zero, saturated at 17 bits and then at the output's."""
    records = [r for r in reference_records("requant_nvdla_sdp_c.json") if r["out_bits"] == 8]
    for record in records:
        constants = Constants(multiplier=np.array([record["scale"]]), shift=np.array([record["truncate"]]))
        centred = np.array(record["input"])[:, None] - record["offset"]
        got = requantize(centred, constants, Requantizer(rounding=Rounding.HALF_AWAY), 0, -128, 127)
        assert got.codes[:, 0].tolist() == record["output"]
    assert records
