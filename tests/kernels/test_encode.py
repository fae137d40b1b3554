"""Compiled encoding against the definition of a grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.encode import encode, integer_encoder
from hwsim.numerics.formats import IntFormat, parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding

SPECIAL = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38, -3e38, 0.5, 1.5, -0.5, -2.5])


@settings(deadline=None, max_examples=100)
@given(
    seed=st.integers(0, 2**32 - 1),
    text=st.sampled_from(["int8", "uint8", "int8n", "int1", "uint4", "int16", "uint16", "int24", "uint32"]),
    scale=st.sampled_from([1.0, 0.5, 0.1, 3.0, 1e-38, 1e30]),
    rounding=st.sampled_from([Rounding.HALF_EVEN, Rounding.FLOOR]),
    order=st.sampled_from(list(QuantOrder)),
    last=st.booleans(),
)
def test_codes_are_those_of_the_grid(seed, text, scale, rounding, order, last):
    random, number = np.random.default_rng(seed), IntFormat.parse(text)
    zero_point = int(random.integers(number.minimum, number.maximum + 1))
    grid = QuantParams(
        format=number, scale=(float(np.float32(scale)),), zero_point=(zero_point,), rounding=rounding, order=order
    )
    halves = random.integers(-2 * number.levels, 2 * number.levels, 24) * scale / 2
    real = np.concatenate([SPECIAL, np.clip(halves, -3e38, 3e38).astype(np.float32)]).reshape(2, 3, 3, 2)
    if last:
        real = np.ascontiguousarray(real.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    with np.errstate(all="ignore"):
        codes, wanted = encode(grid, real), grid.encode(real)
    assert codes.dtype == wanted.dtype
    assert (codes == wanted).all()


def test_values_that_are_not_finite_are_counted():
    run = integer_encoder(QuantParams(format=IntFormat.parse("int8"), scale=(0.5,), zero_point=(3,)))
    real, codes = SPECIAL.copy(), np.empty(SPECIAL.size, np.int8)
    real.flags.writeable = False
    assert run(real, codes) == 3
    assert run(real[3:], codes[3:]) == 0
    assert codes[3:].tolist() == [3, 3, 3, 127, -128, 4, 6, 2, -2]


@pytest.mark.parametrize("text", ["int17", "fp8e4m3"])
def test_other_formats_have_no_such_call(text):
    assert integer_encoder(QuantParams(format=parse_format(text), scale=(0.5,), zero_point=(0,))) is None


def test_a_scale_per_channel_is_the_definition_itself():
    grid = QuantParams(
        format=IntFormat.parse("int8"), scale=(0.5, 0.25), zero_point=(0, 3), granularity=Granularity(axis=1)
    )
    real = np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 2, 2)
    assert (encode(grid, real) == grid.encode(real)).all()
