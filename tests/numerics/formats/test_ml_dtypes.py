"""Casts against ml_dtypes: every code decoded, every float16 (and bfloat16) encoded, random float32 and float64."""

import ml_dtypes
import numpy as np
import pytest

from hwsim.numerics.formats import FloatFormat

TYPES = {
    "fp16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "fp8e4m3fn": ml_dtypes.float8_e4m3fn,
    "fp8e5m2": ml_dtypes.float8_e5m2,
    "fp8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "fp8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "fp8e4m3b11fnuz": ml_dtypes.float8_e4m3b11fnuz,
    "fp8e4m3": ml_dtypes.float8_e4m3,
    "fp8e3m4": ml_dtypes.float8_e3m4,
    "fp6e2m3": ml_dtypes.float6_e2m3fn,
    "fp6e3m2": ml_dtypes.float6_e3m2fn,
    "fp4e2m1": ml_dtypes.float4_e2m1fn,
    "e8m0": ml_dtypes.float8_e8m0fnu,
}
each = pytest.mark.parametrize("text", TYPES)


def bits_of(number, dtype):
    """The bit patterns of an ml_dtypes array."""
    return number.astype(dtype).view(
        FloatFormat.parse("fp16").storage_dtype if np.dtype(dtype).itemsize == 2 else np.uint8
    )


def same_codes(text, real):
    """Codes are equal, NaN to NaN of the same sign."""
    number = FloatFormat.parse(text)
    with np.errstate(all="ignore"):
        expected = bits_of(real, TYPES[text])
    got = number.encode_real(real, saturate=False)
    assert got.dtype == expected.dtype
    nan = np.isnan(number.decode(expected))
    assert (np.isnan(number.decode(got)) == nan).all()
    sign = 1 << (number.bits - 1)
    if (
        text == "e8m0"
    ):  # ml_dtypes rounds float32's subnormal numbers between the two smallest scales up, even near the lower
        flaw = (real > 2.0**-127) & (real < 1.5 * 2.0**-127)
        assert (got[flaw] == 0).all()
        got, expected, nan, real = (part[~flaw] for part in (got, expected, nan, real))
    wrong = np.where(nan, (got ^ expected) & sign if number.signed else 0, got != expected)
    assert not wrong.any(), (real[wrong != 0][:5], got[wrong != 0][:5], expected[wrong != 0][:5])


@each
def test_every_code_decodes(text):
    number = FloatFormat.parse(text)
    codes = np.arange(1 << number.bits).astype(number.storage_dtype)
    with np.errstate(invalid="ignore"):
        expected = codes.view(TYPES[text]).astype(np.float64)
    got = number.decode(codes)
    assert got.dtype == np.float64
    assert np.array_equal(got, expected, equal_nan=True)
    assert (np.signbit(got) == np.signbit(expected))[~np.isnan(got)].all()


@each
def test_every_float16_encodes(text):
    same_codes(text, np.arange(1 << 16, dtype=np.uint16).view(np.float16))


@each
def test_every_bfloat16_encodes(text):
    """All exponents of float32."""
    with np.errstate(invalid="ignore"):
        same_codes(text, np.arange(1 << 16, dtype=np.uint16).view(ml_dtypes.bfloat16).astype(np.float32))


@each
def test_neighbours_of_every_tie(text):
    """The middle of every two values, and the float32 numbers beside it (ml_dtypes casts float64 through float32)."""
    number = FloatFormat.parse(text)
    values = np.unique(number.decode(np.arange(1 << number.bits)))
    values = values[np.isfinite(values)]
    middles = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    with np.errstate(over="ignore"):
        ends = np.array([values[-1] * 1.0625, values[-1] * 1.25, values[-1] * 2], np.float32)
    with np.errstate(over="ignore"):
        near = np.concatenate([np.nextafter(middles, np.float32(side)) for side in (-np.inf, np.inf)])
    same_codes(text, np.concatenate([middles, near, ends, -ends] if number.signed else [middles, near, ends]))


def test_random_float64_to_fp32():
    random = np.random.default_rng(7)
    real = np.ldexp(random.standard_normal(200_000), random.integers(-160, 130, 200_000))
    number = FloatFormat.parse("fp32")
    with np.errstate(all="ignore"):
        expected = real.astype(np.float32)
    assert np.array_equal(number.encode_real(real, saturate=False), expected.view(np.uint32))
    assert np.array_equal(number.decode(expected.view(np.uint32)), expected.astype(np.float64))


@pytest.mark.parametrize("text", ["fp8e4m3fn", "fp8e5m2", "fp8e4m3fnuz", "fp8e5m2fnuz"])
def test_saturation_as_in_onnx_cast(text):
    """onnx.reference clamps to the ends of the format before it casts."""
    from onnx.numpy_helper import saturate_cast

    for real in (
        np.arange(1 << 16, dtype=np.uint16).view(np.float16),
        np.float32([np.inf, -np.inf, 3e38, -1e9, 465, 61440]),
    ):
        number = FloatFormat.parse(text)
        kept = real[~np.isnan(real)]
        expected = saturate_cast(kept, np.dtype(TYPES[text])).view(np.uint8)
        assert np.array_equal(number.encode_real(kept), expected)
        assert np.isnan(number.decode(number.encode_real(real[np.isnan(real)]))).all()
