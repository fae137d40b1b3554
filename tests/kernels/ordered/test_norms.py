"""Norms are exact roots rounded up, and bound what a chunk adds up to."""

from itertools import pairwise
from math import isqrt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.ordered.norms import column_norms, row_norms


def ceil_root(square):
    return isqrt(square - 1) + 1 if square else 0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 15))
def test_norms_are_the_definition(seed, k, bits):
    random = np.random.default_rng(seed)
    a = random.integers(-(1 << bits), 1 << bits, (3, k)).astype(np.int16)
    cuts = np.array(sorted({0, k, *random.integers(0, k + 1, 2).tolist()}))
    wanted = [[ceil_root(sum(int(x) ** 2 for x in row[begin:end])) for begin, end in pairwise(cuts)] for row in a]
    assert row_norms(a, cuts).tolist() == wanted
    assert column_norms(np.ascontiguousarray(a.T), cuts).T.tolist() == wanted


def test_roots_beside_squares():
    """One below a square, a square, one above, where float64 alone would round."""
    for root in (1, 2, 181, 46_341, 185_363):
        for square in (root * root - 1, root * root, root * root + 1):
            rest, parts = square, []
            while rest:  # as a sum of squares of int16, largest first
                parts.append(min(isqrt(rest), 32_767))
                rest -= parts[-1] ** 2
            a = np.array([parts or [0]], np.int16)
            assert row_norms(a, np.array([0, a.shape[1]])).tolist() == [[ceil_root(square)]]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 15))
def test_their_product_bounds_the_magnitudes(seed, k, bits):
    random = np.random.default_rng(seed)
    a = random.integers(-(1 << bits), 1 << bits, (2, k)).astype(np.int16)
    w = random.integers(-(1 << bits), 1 << bits, (k, 2)).astype(np.int16)
    w[:, 0] = a[0]  # parallel: the bound is reached
    cuts = np.array([0, k])
    bound = row_norms(a, cuts) * column_norms(w, cuts)
    sums = np.abs(a.astype(object)) @ np.abs(w.astype(object))
    assert (sums <= bound).all()
    assert bound[0, 0] - sums[0, 0] <= 2 * isqrt(int(sums[0, 0])) + 1
