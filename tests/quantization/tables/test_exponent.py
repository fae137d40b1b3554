"""Fitted exponents: never worse than uniform codes, and near the exponent that made the numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.numerics.formats import LearnedTable, parse_format, power_exponent
from hwsim.numerics.granularity import Granularity
from hwsim.quantization.tables.exponent import fit_exponent, powers, reachable
from hwsim.quantization.tables.rows import rows_of
from hwsim.quantization.tables.scales import row_scales, total_error


def rows(values):
    return rows_of(np.asarray(values, np.float32), Granularity(axis=0))


def error(parts, book, estimator, power_of_two=False):
    return total_error(parts, book, row_scales(parts, book, estimator, power_of_two=power_of_two))


@settings(max_examples=15)
@given(
    seed=st.integers(0, 99), bits=st.integers(2, 4), estimator=st.sampled_from(["minmax", "mse"]), power_of_two=st.booleans(),
    nearest=st.booleans(),
)  # fmt: skip
def test_never_worse_than_exponent_one_or_one_half(seed, bits, estimator, power_of_two, nearest):
    random = np.random.default_rng(seed)
    parts = rows(random.standard_t(3 + seed % 5, size=(5, 40)))
    table = LearnedTable(kind="power", bits=bits, nearest=nearest)
    book = fit_exponent([parts], table, estimator, power_of_two=power_of_two)
    for known in (1, 0.5):
        other = power_exponent(bits, known, nearest=nearest)
        assert error(parts, book, estimator, power_of_two) <= error(parts, other, estimator, power_of_two)


@pytest.mark.parametrize("exponent", [0.6, 0.75, 1.0])
def test_finds_the_exponent_of_numbers_that_lie_on_its_grid(exponent):
    book = power_exponent(4, exponent, 8) if exponent != 1 else power_exponent(4, 1)
    values = np.tile(book.decode(np.arange(15)), (3, 4))
    found = fit_exponent([rows(values)], LearnedTable.parse("power4@8"), "minmax", power_of_two=False)
    assert error(rows(values), found, "minmax") == pytest.approx(0, abs=1e-3)


def test_heavy_tails_take_a_smaller_exponent():
    random = np.random.default_rng(3)
    table = LearnedTable.parse("power4")
    normal, heavy = (
        fit_exponent([rows(values)], table, "minmax", power_of_two=False)
        for values in (random.uniform(-1, 1, (8, 200)), random.laplace(size=(8, 200)))
    )
    assert str(normal) in ("power4:1", *(f"power4:{e:g}@8" for e in np.arange(90, 111) / 100))
    assert float(str(heavy).split(":")[1].split("@")[0]) < 0.8


def test_one_exponent_for_several_tensors_minimises_their_sum():
    random = np.random.default_rng(4)
    tensors = [rows(random.laplace(size=(4, 60))), rows(random.uniform(-1, 1, (4, 60)))]
    table = LearnedTable.parse("power4")
    shared = fit_exponent(tensors, table, "minmax", power_of_two=False)
    alone = [fit_exponent([parts], table, "minmax", power_of_two=False) for parts in tensors]
    assert sum(error(p, b, "minmax") for p, b in zip(tensors, alone, strict=True)) <= sum(
        error(p, shared, "minmax") for p in tensors
    )
    for other in (parse_format("power4:1"), *alone):
        assert sum(error(p, shared, "minmax") for p in tensors) <= sum(error(p, other, "minmax") for p in tensors)


@pytest.mark.parametrize("text", ["power4", "power4@4", "power6", "power8@8"])
def test_every_reachable_exponent_has_a_table_and_its_neighbours_are_at_an_end(text):
    table = LearnedTable.parse(text)
    first, last = reachable(table, 100)
    assert all(powers(table, each) is not None for each in range(first, last + 1))
    assert first == 26 or powers(table, first - 1) is None
    assert last == 134 or powers(table, last + 1) is None
