"""Rescaled additions: the kernel against the definition, output by output."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.segments import add_scaled
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.rounding import Rounding, rounding_shift

REGISTERS = ["exact", "int64:wrap", "int32:wrap", "int16:saturate", "int12:wrap", "int20:exact"]


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(REGISTERS), st.sampled_from(list(Rounding)),
    st.integers(1, 45), st.integers(1, 31), st.integers(-20, 90),
)  # fmt: skip
def test_every_output_is_the_definition(seed, register, rounding, sum_bits, multiplier_bits, widest_shift):
    rng = np.random.default_rng(seed)
    accumulator = Accumulator.parse(register)
    top = min(accumulator.maximum, 2**40)
    held = rng.integers(-top, top, (2, 3, 5))
    sums = rng.integers(-(2**sum_bits), 2**sum_bits, held.shape)
    multiplier = rng.integers(-(2**multiplier_bits), 2**multiplier_bits + 1, (2, 5))
    shift = rng.integers(min(widest_shift, 0), widest_shift + 1, (2, 5))
    if 2 ** (sum_bits + multiplier_bits - int(shift.min())) > 2**61:
        shift = np.maximum(shift, sum_bits + multiplier_bits - 61)
    done = add_scaled(held, sums, multiplier, shift, rounding, accumulator)
    peak = 0
    for g, i, j in np.ndindex(held.shape):
        term = rounding_shift(int(sums[g, i, j]) * int(multiplier[g, j]), int(shift[g, j]), rounding)
        total = int(held[g, i, j]) + term
        assert done.values[g, i, j] == accumulator.reduce(total)
        assert done.overflowed[g, i, j] == (not accumulator.fits(total))
        peak = max(peak, abs(total))
    assert done.peak == peak


def test_a_sum_beyond_64_bits_is_refused():
    one = np.ones((1, 1, 1), np.int64)
    with pytest.raises(ExecutionError, match="beyond 64 bits; use fewer fraction bits"):
        add_scaled(one, one << 50, one[0], one[0] * -31, Rounding.HALF_UP, Accumulator())
