"""Codes of floating-point formats, compiled, against ``QuantParams.encode``: every number, every middle, both ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hwsim.kernels.encode import encode
from hwsim.kernels.encode_float import takes
from hwsim.numerics.formats import FloatFormat
from hwsim.numerics.quant_params import QuantParams

TEXTS = ("fp16", "bf16", "fp8e4m3fn", "fp8e5m2", "fp8e3m4", "fp12e8m3")


@pytest.mark.parametrize("saturate", [True, False])
@pytest.mark.parametrize("text", TEXTS)
def test_numbers_middles_and_ends(text, saturate):
    number = FloatFormat.parse(text)
    assert takes(number)
    values = number.decode(np.arange(1 << number.bits, dtype=np.uint32).astype(number.storage_dtype))
    values = np.unique(values[np.isfinite(values)])
    middles = (values[1:] + values[:-1]) / 2
    ends = [np.inf, -np.inf, np.nan, -0.0, 1.5 * number.maximum, -1.5 * number.maximum, 2.0**-149, -(2.0**-149)]
    with np.errstate(over="ignore"):
        real = np.concatenate([values, middles, ends]).astype(np.float32)
    near = np.concatenate([real, np.nextafter(real, np.float32(np.inf)), np.nextafter(real, np.float32(-np.inf))])
    grid = QuantParams(format=number, scale=(1.0,), saturate=saturate)
    found = encode(grid, near)
    assert found.dtype == number.storage_dtype
    np.testing.assert_array_equal(found, grid.encode(near))


@given(
    st.sampled_from(TEXTS),
    arrays(np.float32, (2, 3), elements=st.floats(width=32)),
    st.sampled_from([1.0, 0.037, 3.0]),
    st.booleans(),
)
def test_any_scale_and_shape(text, real, scale, saturate):
    grid = QuantParams(format=FloatFormat.parse(text), scale=(scale,), saturate=saturate)
    with np.errstate(all="ignore"):
        for values in (real, real.T, np.asfortranarray(real)):
            np.testing.assert_array_equal(encode(grid, values), grid.encode(values))


@pytest.mark.parametrize("text", ["fp32", "e8m0", "fp6e2m3", "fp8e4m3fnuz", "fp8e4m3fn:flush", "fp30e9m20"])
def test_what_is_left_to_numpy(text):
    number = FloatFormat.parse(text)
    assert not takes(number)
    grid, real = QuantParams(format=number, scale=(1.0,)), np.array([0.5, 3.0, 1e9], np.float32)
    np.testing.assert_array_equal(encode(grid, real), grid.encode(real))
