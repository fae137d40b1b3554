import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.gemm import exact_gemm


def plain(a, w):
    return np.matmul(a.astype(object), w.astype(object))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    m=st.integers(0, 5),
    k=st.integers(0, 300),
    n=st.integers(0, 5),
    a_bits=st.integers(1, 31),
    w_bits=st.integers(1, 31),
)
def test_any_width_is_exact(seed, m, k, n, a_bits, w_bits):
    random = np.random.default_rng(seed)
    a = random.integers(-(1 << a_bits), (1 << a_bits) + 1, (m, k))
    w = random.integers(-(1 << w_bits), (1 << w_bits) + 1, (k, n))
    if max((abs(int(x)) for x in plain(a, w).flat), default=0) >= 1 << 63:
        with pytest.raises(ExecutionError, match="beyond 64 bits"):
            exact_gemm(a, w, 1 << a_bits, 1 << w_bits)
        return
    result = exact_gemm(a, w, 1 << a_bits, 1 << w_bits)
    assert result.dtype == np.int64
    assert (result == plain(a, w)).all()


@pytest.mark.parametrize(
    ("a_max", "w_max"), [(255, 127), (255, 255), (32767, 127), (15, 7), (65535, 65535), (2**25, 1)]
)
def test_long_sums_of_extremes_are_exact(a_max, w_max):
    """Every product at its largest, an odd sum, and enough rows for the L1 norms to be read."""
    k = 2305
    a, w = np.full((300, k), a_max), np.full((k, 2), -w_max)
    w[:, 1] = np.where(np.arange(k) % 3, w_max, -w_max)
    assert (exact_gemm(a, w, a_max, w_max) == a @ w).all()


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.integers(1, 127))
def test_uneven_weights_are_cut_by_their_norms(seed, scale):
    random = np.random.default_rng(seed)
    a = random.integers(0, 256, (260, 1200)).astype(np.uint8)
    w = np.clip(random.normal(0, scale, (1200, 3)), -128, 127).astype(np.int8)
    assert (exact_gemm(a, w, 255, 128) == a.astype(np.int64) @ w.astype(np.int64)).all()


def test_leading_dimensions_broadcast():
    random = np.random.default_rng(1)
    a, w = random.integers(-128, 128, (3, 2, 4, 70)), random.integers(-128, 128, (2, 70, 5))
    assert (exact_gemm(a, w, 128, 128) == a @ w).all()


def test_an_operand_beyond_its_stated_magnitude_is_refused():
    with pytest.raises(ExecutionError, match=r"gemm weights: codes lie in 0\.\.9, outside the range -8\.\.8"):
        exact_gemm(np.ones((1, 2), int), np.array([[0], [9]]), 1, 8)
    with pytest.raises(ExecutionError, match="must be integers, not float64"):
        exact_gemm(np.ones((1, 2)), np.array([[0], [9]]), 1, 9)
