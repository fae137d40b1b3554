"""Learned tables: small integers, never worse than uniform codes of the same width, and exact where they can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.numerics.formats import IntFormat, LearnedTable
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.quantization.tables.codebook import fit_codebook
from hwsim.quantization.tables.rows import rows_of
from hwsim.quantization.tables.scales import row_scales, total_error


@settings(max_examples=25)
@given(
    seed=st.integers(0, 99), bits=st.integers(2, 5), estimator=st.sampled_from(["minmax", "mse"]),
    power_of_two=st.booleans(), group=st.sampled_from([4, 7, 40]),
)  # fmt: skip
def test_never_worse_than_uniform_codes_of_as_many_bits(seed, bits, estimator, power_of_two, group):
    values = np.random.default_rng(seed).standard_t(4, size=(5, 40)).astype(np.float32)
    parts = rows_of(values, Granularity.of_runs(1, 40, group, by=0))
    table = LearnedTable(kind="codebook", bits=bits)
    book, scales = fit_codebook(parts, table, estimator, power_of_two=power_of_two)
    uniform = IntFormat(bits=bits, narrow=True)
    known = row_scales(parts, uniform, estimator, power_of_two=power_of_two)
    assert total_error(parts, book, scales) <= total_error(parts, uniform, known)
    assert book.bits <= bits
    assert max(abs(end) for end in book.operand_range) <= 127
    if power_of_two:
        assert (np.log2(scales) % 1 == 0).all()


def test_numbers_of_a_few_values_are_kept():
    values = np.random.default_rng(1).choice([-0.9, -0.2, 0.1, 0.5, 1.27], size=(6, 50)).astype(np.float32)
    book, scales = fit_codebook(rows_of(values, PER_TENSOR), LearnedTable.parse("codebook3"), "mse", power_of_two=False)
    assert total_error(rows_of(values, PER_TENSOR), book, scales) < 1e-9
    assert str(book) == "codebook3@8"


def test_wider_tables_lose_less():
    values = np.random.default_rng(2).laplace(size=(4, 300)).astype(np.float32)
    parts = rows_of(values, Granularity(axis=0))
    errors = []
    for text in ("codebook2@8", "codebook3@8", "codebook4@8", "codebook4@12"):
        book, scales = fit_codebook(parts, LearnedTable.parse(text), "mse", power_of_two=False)
        errors.append(total_error(parts, book, scales))
    assert errors == sorted(errors, reverse=True)


def test_pruned_weights_keep_their_zeros():
    random = np.random.default_rng(3)
    values = (random.normal(size=(8, 40)) + 0.3).astype(np.float32)
    values[:, ::2] = 0
    parts = rows_of(values, Granularity(axis=0))
    book, _ = fit_codebook(parts, LearnedTable.parse("codebook2"), "mse", power_of_two=False, holds_zero=True)
    assert 0 in book.values


@pytest.mark.parametrize("fill", [0.0, 0.25])
def test_a_constant_tensor_gets_a_table(fill):
    parts = rows_of(np.full((3, 5), fill, np.float32), Granularity(axis=0))
    book, scales = fit_codebook(parts, LearnedTable.parse("codebook4"), "mse", power_of_two=False)
    assert total_error(parts, book, scales) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("estimator", ["minmax", "mse"])
def test_rows_of_zeros_do_not_take_part(estimator):
    """The table is that of the other rows; where it has no 0, rows of zeros come next to it."""
    live = np.random.default_rng(4).choice([-3.0, -1.0, 1.0, 3.0], size=(6, 40)).astype(np.float32)
    values = np.concatenate([live, np.zeros_like(live)])
    table = LearnedTable.parse("codebook2")
    parts = rows_of(values, Granularity(axis=0))
    book, scales = fit_codebook(parts, table, estimator, power_of_two=False)
    alone, known = fit_codebook(rows_of(live, Granularity(axis=0)), table, estimator, power_of_two=False)
    assert book == alone
    assert 0 not in book.values
    np.testing.assert_array_equal(scales[:6], known)
    without = total_error(rows_of(live, Granularity(axis=0)), alone, known)
    assert total_error(parts, book, scales) == pytest.approx(without, rel=1e-9)
