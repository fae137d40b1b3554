"""N:M sparsity: what is kept, what it takes to store, what obeys."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.sparsity import Sparsity

patterns = st.integers(2, 8).flatmap(
    lambda block: st.builds(Sparsity, keep=st.integers(1, block - 1), block=st.just(block))
)


@pytest.mark.parametrize(
    ("text", "index_bits", "kept"), [("2:4", 2, 50), ("1:2", 1, 50), ("1:4", 2, 25), ("4:8", 3, 50), ("2:5", 3, 40)]
)
def test_text_and_storage(text, index_bits, kept):
    pattern = Sparsity.parse(text)
    assert str(pattern) == text
    assert (pattern.index_bits, pattern.kept(100 // pattern.block * pattern.block)) == (
        index_bits,
        kept - kept % pattern.keep,
    )


@pytest.mark.parametrize("text", ["4:4", "0:4", "4:2", "2:65", "2/4", "two:four", "2:4:8", "-1:4"])
def test_what_is_no_pattern(text):
    with pytest.raises(HwsimError, match="sparsity"):
        Sparsity.parse(text)


@given(patterns, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_pruning_keeps_the_largest_of_every_block_and_obeys(pattern, blocks, columns, seed):
    weights = np.random.default_rng(seed).integers(-9, 10, (blocks * pattern.block, columns))
    result = pattern.pruned(weights, 0)
    assert pattern.excess(result, 0) == 0
    for column, start in itertools.product(range(columns), range(0, len(weights), pattern.block)):
        before, after = (part[start : start + pattern.block, column].tolist() for part in (weights, result))
        assert all(b in (0, a) for a, b in zip(before, after, strict=True))
        assert sum(map(abs, after)) == sum(sorted(map(abs, before), reverse=True)[: pattern.keep])
    np.testing.assert_array_equal(pattern.pruned(result, 0), result)


def test_along_any_axis():
    weights = np.random.default_rng(0).normal(size=(3, 8, 2, 2))
    pattern = Sparsity.parse("2:4")
    expected = np.moveaxis(pattern.pruned(np.moveaxis(weights, 1, 0), 0), 0, 1)
    np.testing.assert_array_equal(pattern.pruned(weights, 1), expected)
    assert np.count_nonzero(expected) == weights.size // 2


@given(patterns, st.integers(0, 2**32 - 1))
def test_excess_counts_the_blocks_that_break_the_pattern(pattern, seed):
    codes = np.random.default_rng(seed).integers(-1, 2, (3 * pattern.block, 4))
    broken = sum(
        np.count_nonzero(codes[start : start + pattern.block, column]) > pattern.keep
        for start in range(0, len(codes), pattern.block)
        for column in range(4)
    )
    assert pattern.excess(codes, 0) == broken


def test_of_equals_the_first_stay():
    assert Sparsity.parse("1:3").pruned(np.array([2, -2, 2]), 0).tolist() == [2, 0, 0]


def test_a_rest_is_refused():
    with pytest.raises(HwsimError, match="6 weights along k are not whole blocks of 4"):
        Sparsity.parse("2:4").pruned(np.ones(6), 0)
