"""Two ways to the same squared error, and both against encoding every value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.ranges.seen import Distribution


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    text=st.sampled_from(["int1", "int2", "uint3", "int4n", "uint6", "int8"]),
    symmetric=st.booleans(),
    clip=st.floats(0.05, 1.2),
)
def test_sums_by_step_are_sums_by_value_and_what_encoding_gives(seed, text, symmetric, clip):
    values = np.random.default_rng(seed).normal(size=700)
    number = IntFormat.parse(text)
    if symmetric and not number.signed:
        values = np.abs(values)
    span = (float(min(values.min(), 0) * clip), float(max(values.max(), 0) * clip))
    grid = params_of_ranges([span], number, symmetric=symmetric, power_of_two=False)
    seen = Distribution.of(values)
    scale, zero = np.array(grid.scale), np.array(grid.zero_point)
    exact = np.square(
        scale[0] * (np.clip(np.rint(values / scale[0]) + zero[0], number.minimum, number.maximum) - zero[0]) - values
    ).sum()
    by_value, by_step = (method(scale, zero, number)[0] for method in (seen._value_by_value, seen._step_by_step))
    assert by_value == pytest.approx(exact, rel=1e-9)
    assert by_step == pytest.approx(exact, rel=1e-9)
    assert seen.squared_errors(scale, zero, number)[0] in (by_value, by_step)


def test_inside_of_a_wide_bin_values_are_uniform():
    centres = np.arange(10) + 0.5
    seen = Distribution(values=centres, weights=np.ones(10), width=1.0)
    found = seen._value_by_value(np.array([0.01]), np.array([0]), IntFormat.parse("uint10"))
    assert found[0] == pytest.approx(10 * 0.01**2 / 12)
