"""Scales of every row at once: against one row after the other, and against what QuantParams then encodes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat, parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.grid import grid_of_range, symmetric_scales
from hwsim.quantization.ranges import Observation, estimator
from hwsim.quantization.tables.rows import rows_of
from hwsim.quantization.tables.scales import grid_end, row_scales, squared_errors, total_error

FORMATS = [
    "int1",
    "int4",
    "int4n",
    "int8",
    "ternary",
    "bipolar",
    "pot4",
    "power4:0.5",
    "power3:0.7@8",
    "fp4e2m1",
    "fp8e4m3fn",
]
arrays = st.integers(0, 999).map(
    lambda seed: np.random.default_rng(seed).normal(size=(6, 11)).astype(np.float32) * np.float32(2.0) ** (seed % 9 - 4)
)


def params(number, scales, granularity):
    found = tuple(scales.tolist())
    return QuantParams(format=number, scale=found, zero_point=(0,) * len(found), granularity=granularity)


@pytest.mark.parametrize("text", FORMATS)
@given(values=arrays, group=st.sampled_from([3, 4, 11]), power_of_two=st.booleans())
def test_least_squares_is_never_worse_than_the_whole_range(text, values, group, power_of_two):
    """By the codes themselves, not by an estimate of their error."""
    number, granularity = parse_format(text), Granularity.of_runs(1, 11, group, by=0)
    parts = rows_of(values, granularity)
    errors = {}
    for name in ("minmax", "mse"):
        scales = row_scales(parts, number, name, power_of_two=power_of_two)
        grid = params(number, scales, granularity)
        errors[name] = float(np.square(grid.decode(grid.encode(values)).astype(np.float64) - values).sum())
        assert total_error(parts, number, scales) == pytest.approx(errors[name], rel=1e-5, abs=1e-12)
        if power_of_two:
            assert (np.log2(scales) % 1 == 0).all()
    assert errors["mse"] <= errors["minmax"] * (1 + 1e-6)


@pytest.mark.parametrize("text", ["int2", "int4", "int8", "int5n"])
@given(values=arrays)
def test_integers_get_what_the_estimator_of_one_row_finds(text, values):
    """The slow twin: the estimator of activations, row by row, whose fractions are these."""
    number = IntFormat.parse(text)
    parts = rows_of(values, Granularity(axis=0))
    for name in ("minmax", "mse"):
        together = row_scales(parts, number, name, power_of_two=False)
        alone = []
        for row in values:
            low, high = estimator(name)(Observation.of(row), number, True)
            alone.append(grid_of_range(low, high, number, True)[0])
        if name == "minmax":
            assert together.tolist() == alone
        else:
            found, known = (squared_errors(np.sort(values), np.array(each), number) for each in (together, alone))
            np.testing.assert_allclose(found, known, rtol=1e-4)


@given(values=arrays, number=st.sampled_from(FORMATS).map(parse_format))
def test_the_error_is_that_of_each_number_alone(values, number):
    scales = np.abs(values).max(axis=1) / grid_end(number)
    decoded = [
        [float(number.decode(number.encode_real(np.float32(x) / np.float32(s)))) * float(np.float32(s)) for x in row]
        for row, s in zip(values, scales, strict=True)
    ]
    slow = [sum((d - float(x)) ** 2 for d, x in zip(*both, strict=True)) for both in zip(decoded, values, strict=True)]
    np.testing.assert_allclose(squared_errors(values, scales, number), slow, rtol=1e-4, atol=1e-12)


def test_powers_are_searched_and_not_rounded_up():
    """A scale just above a power would be almost doubled by rounding up; the power below loses less."""
    values = np.concatenate([np.linspace(-1, 1, 200), [7.2 / 7]]).astype(np.float32)[None]
    number = IntFormat.parse("int4n")
    parts = rows_of(values, Granularity(axis=0))
    widest = row_scales(parts, number, "minmax", power_of_two=True)
    best = row_scales(parts, number, "mse", power_of_two=True)
    assert (widest.tolist(), best.tolist()) == ([2.0**-2], [2.0**-3])
    powers = 2.0 ** np.arange(-8, 2)
    errors = [squared_errors(values, np.array([power]), number)[0] for power in powers]
    assert powers[int(np.argmin(errors))] == best[0]


@given(st.floats(2**-20, 2**20), st.sampled_from(["int2", "int8", "int5n"]).map(IntFormat.parse), st.booleans())
def test_scales_are_those_of_grid_of_range(peak, number, power_of_two):
    peak = float(np.float32(peak))
    alone, _ = grid_of_range(-peak, peak / 2, number, True, power_of_two=power_of_two)
    assert symmetric_scales(np.array([peak]), grid_end(number), power_of_two=power_of_two).tolist() == [alone]


def test_rows_of_zeros_and_numbers_that_are_none():
    parts = rows_of(np.zeros((2, 3), np.float32), Granularity(axis=0))
    assert row_scales(parts, parse_format("pot4"), "mse", power_of_two=False).tolist() == [1.0, 1.0]
    broken = rows_of(np.array([[1.0, np.inf]], np.float32), Granularity(axis=0))
    with pytest.raises(HwsimError, match="weights must be finite"):
        row_scales(broken, parse_format("pot4"), "minmax", power_of_two=False)


def test_wide_floats_hold_weights_as_they_are():
    parts = rows_of(np.array([[0.1, 3.0]], np.float32), Granularity(axis=0))
    assert row_scales(parts, parse_format("fp16"), "mse", power_of_two=False).tolist() == [1.0]
    assert row_scales(parts, parse_format("fp8e4m3fn"), "minmax", power_of_two=False).tolist() == [
        float(np.float32(3 / 448))
    ]


def test_an_estimator_of_activations_is_refused():
    parts = rows_of(np.ones((1, 2), np.float32), Granularity(axis=0))
    with pytest.raises(HwsimError, match='weights on pot4 take range = "minmax" or "mse", not \'percentile\''):
        row_scales(parts, parse_format("pot4"), "percentile", power_of_two=False)


@pytest.mark.parametrize("estimator", ["minmax", "mse"])
@pytest.mark.parametrize("power_of_two", [False, True])
def test_a_row_of_zeros_stays_next_to_zero_on_a_grid_without_it(estimator, power_of_two):
    values = np.random.default_rng(2).normal(size=(4, 9)).astype(np.float32)
    values[1] = 0
    number, granularity = parse_format("bipolar"), Granularity(axis=0)
    parts = rows_of(values, granularity)
    grid = params(number, row_scales(parts, number, estimator, power_of_two=power_of_two), granularity)
    decoded = grid.decode(grid.encode(values))
    assert 0 < np.abs(decoded[1]).max() < 1e-15
    assert (np.abs(decoded[[0, 2, 3]]) > 0.1).all()
