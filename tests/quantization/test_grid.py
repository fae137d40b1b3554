import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.quantization.grid import grid_of_range, params_of_powers, params_of_ranges
from hwsim.quantization.ranges import Observation

REALS = st.floats(-1e4, 1e4, width=32)
FORMATS = st.builds(IntFormat, bits=st.integers(1, 16), signed=st.booleans())


@given(REALS, REALS, FORMATS, st.booleans())
def test_zero_is_on_the_grid_and_the_scale_is_float32(first, second, number, power_of_two):
    low, high = sorted((first, second))
    scale, zero_point = grid_of_range(low, high, number, symmetric=False, power_of_two=power_of_two)
    assert number.contains(zero_point)
    assert scale > 0
    assert scale == float(np.float32(scale))
    params = params_of_ranges([(low, high)], number, symmetric=False, power_of_two=power_of_two)
    assert params.decode(params.encode(np.float32([0.0])))[0] == 0.0


@given(st.floats(2**-10, 1e4, width=32), st.integers(2, 16))
def test_symmetric_covers_both_ends_without_a_zero_point(peak, bits):
    number = IntFormat(bits=bits)
    params = params_of_ranges([(-peak, peak / 2)], number, symmetric=True, power_of_two=False)
    assert params.zero_point == (0,)
    step = params.scale[0]
    assert abs(float(params.decode(params.encode(np.float32([-peak])))[0]) + peak) <= step * 0.501


@given(st.floats(-100, -(2**-6), width=32), st.floats(2**-6, 100, width=32), st.integers(2, 12))
def test_error_inside_the_range_is_at_most_one_step(low, high, bits):
    params = params_of_ranges([(low, high)], IntFormat(bits=bits, signed=False), symmetric=False, power_of_two=False)
    values = np.linspace(low, high, 97, dtype=np.float32)
    error = np.abs(params.decode(params.encode(values)) - values)
    assert error.max() <= params.scale[0] * 1.01


def test_power_of_two_scale_is_not_below_the_real_one():
    real, _ = grid_of_range(-1.0, 1.0, IntFormat.parse("int8"), symmetric=True)
    rounded, _ = grid_of_range(-1.0, 1.0, IntFormat.parse("int8"), symmetric=True, power_of_two=True)
    assert rounded == 2.0**-6
    assert rounded >= real


def test_one_bit_grids_exist():
    assert grid_of_range(0.0, 2.0, IntFormat.parse("uint1"), symmetric=False) == (2.0, 0)
    assert grid_of_range(-2.0, 2.0, IntFormat.parse("int1"), symmetric=True) == (2.0, 0)


def test_a_flat_tensor_gets_a_usable_grid():
    assert grid_of_range(0.0, 0.0, IntFormat.parse("int8"), symmetric=True) == (1.0, 0)


def test_negative_values_do_not_fit_a_symmetric_unsigned_grid():
    with pytest.raises(HwsimError) as error:
        grid_of_range(-0.5, 1.0, IntFormat.parse("uint8"), symmetric=True)
    assert str(error.value) == (
        "quantization: a symmetric uint8 grid cannot hold -0.5; use an asymmetric grid, or the signed int8"
    )


def test_channels_get_scales_of_their_own():
    params = params_of_ranges(
        [(-1.0, 1.0), (-4.0, 2.0)],
        IntFormat.parse("int8"),
        symmetric=True,
        power_of_two=False,
        granularity=Granularity(axis=0),
    )
    assert params.scale[1] == pytest.approx(4 * params.scale[0])


@given(st.integers(0, 99), st.integers(2, 8), st.booleans(), st.floats(0.1, 8))
def test_the_better_of_two_powers(seed, bits, symmetric, peak):
    """Never worse than rounding up, by the codes themselves."""
    number = IntFormat(bits=bits, signed=symmetric)
    values = np.random.default_rng(seed).laplace(size=200).astype(np.float32) * np.float32(peak)
    losses = Observation.of(values).distribution().squared_errors
    low, high = float(values.min()) * 0.7, float(values.max()) * 0.7
    up = params_of_ranges([(low, high)], number, symmetric=symmetric, power_of_two=True)
    best = params_of_powers(low, high, number, lambda scale, zero: losses(scale, zero, number), symmetric=symmetric)
    errors = [np.square(grid.decode(grid.encode(values)).astype(np.float64) - values).sum() for grid in (best, up)]
    assert errors[0] <= errors[1] * (1 + 1e-6)
    assert best.scale[0] in (up.scale[0], up.scale[0] / 2)


def test_rounding_down_wins_where_the_range_is_just_above_a_power():
    values = np.linspace(0, 1.01, 300, dtype=np.float32)
    number = IntFormat.parse("uint4")
    losses = Observation.of(values).distribution().squared_errors
    best = params_of_powers(0.0, 1.01, number, lambda scale, zero: losses(scale, zero, number), symmetric=False)
    assert (best.scale, best.zero_point) == ((2.0**-4,), (0,))
    flat = params_of_powers(0.0, 0.0, number, lambda scale, zero: scale, symmetric=False)
    assert flat.scale == (1.0,)
