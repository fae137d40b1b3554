"""Codes from blocks of sums against the definition of every requantizer, sum by sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.gemm import COUNTS, CompiledPlan, gemm_requantized, make_epilogue, pack_weights, plan_gemm
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import Constants
from hwsim.numerics.rounding import Rounding

UNITS = [
    Requantizer(scheme="float32"),
    *(Requantizer(scheme="fixed_point", rounding=rounding) for rounding in Rounding),
    *(
        Requantizer(scheme=name)
        for name in ("xnnpack_rndnu", "tflite_double", "cmsis_nn", "qnnpack_q31", "tflite_int16x8")
    ),
]
COMPILED = {"float32", "fixed_point", "xnnpack_rndnu", "tflite_double", "cmsis_nn", "qnnpack_q31"}
LARGEST = {"qnnpack_q31": 0.99}  # scales have to be below 1
GRIDS = [(0, 0, 255), (100, 0, 255), (-5, -128, 127), (10, 20, 200), (3, -2000, 2000)]


def by_definition(total, constants, unit, zero_point, low, high):
    """Return the codes of sums ``[rows, n]`` one by one, and how many lay below and above."""
    one, codes, ends = definition(unit.scheme).requantize_one, np.zeros(total.shape, np.int64), [0, 0]
    for (row, column), value in np.ndenumerate(total):
        cell = int(value), constants.multiplier[column], int(constants.shift[column]), unit, zero_point
        codes[row, column] = one(*cell, low, high)
        free = one(*cell, low - 1, high + 1)
        ends[0] += free < low
        ends[1] += free > high
    return codes, *ends


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    unit=st.sampled_from(UNITS),
    groups=st.sampled_from([1, 3]),
    m=st.integers(1, 9),
    k=st.integers(1, 40),
    n=st.integers(1, 37),
    # The last one takes sums past 32 bits, out of the compiled loop.
    bias_end=st.sampled_from([0, 10_000, 1 << 33]),
    grid=st.sampled_from(GRIDS),
    holds_bias=st.booleans(),
)
def test_codes_are_those_of_the_definition(route, seed, unit, groups, m, k, n, bias_end, grid, holds_bias):
    zero_point, low, high = grid
    random = np.random.default_rng(seed)
    leading = () if groups == 1 else (groups,)
    a = random.integers(0, 256, (*leading, m, k)).astype(np.uint8)
    w = random.integers(-64, 64, (*leading, k, n))
    bias = random.integers(-bias_end, bias_end + 1, (groups, n))
    total = ((a.astype(np.int64) - 7) @ w).reshape(groups, m, n) + bias[:, None]
    real = random.uniform(0.1, LARGEST.get(unit.scheme, 2), groups * n) * 200 / (np.abs(total).max() + 200)
    constants = definition(unit.scheme).constants(real, unit)
    packed = pack_weights(w, (0, 255), 7, route)
    ends = {"zero_point": zero_point, "low": low, "high": high}
    epilogue = make_epilogue(packed, constants, unit, bias, holds_bias=holds_bias, **ends)
    if epilogue.is_compiled:
        assert route != "blas"
        assert unit.scheme in COMPILED
        assert np.abs(total).max() < 1 << 31
    done = gemm_requantized(a, packed, epilogue)
    columns = total.transpose(1, 0, 2).reshape(m, -1)
    codes, below, above = by_definition(columns, constants, unit, zero_point, low, high)
    assert (done.codes.reshape(groups, m, n).transpose(1, 0, 2).reshape(m, -1) == codes).all()
    assert (done.below, done.above) == (below, above)
    assert done.peak == np.abs(total if holds_bias else total - bias[:, None]).max()


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_ties_of_every_small_sum(unit):
    """All sums of a byte and an odd weight, halved and quartered, and raised."""
    a, w = np.arange(256, dtype=np.uint8)[:, None], np.array([[-3, -1, 1, 3]])
    packed = pack_weights(w, (0, 255), 128)
    total = (np.arange(256)[:, None] - 128) @ w
    for real in (0.5, 0.25, 0.75 * LARGEST.get(unit.scheme, 2)):
        constants = definition(unit.scheme).constants(np.full(4, real), unit)
        epilogue = make_epilogue(packed, constants, unit, zero_point=0, low=-128, high=127)
        assert epilogue.is_compiled == (unit.scheme in COMPILED and packed.route is not None)
        done = gemm_requantized(a, packed, epilogue)
        assert (done.codes == by_definition(total, constants, unit, 0, -128, 127)[0]).all()


@pytest.mark.parametrize(("high", "dtype"), [(255, np.uint8), (127, np.uint8), (256, np.int32), (1 << 40, np.int64)])
def test_codes_are_as_narrow_as_their_bounds(route, high, dtype):
    packed = pack_weights(np.ones((2, 3), np.int8), (0, 255), 0, route)
    half = Constants(multiplier=np.float32([0.5]), shift=np.zeros(1, np.int64))
    epilogue = make_epilogue(packed, half, Requantizer(scheme="float32"), zero_point=0, low=0, high=high)
    done = gemm_requantized(np.full((4, 2), 255, np.uint8), packed, epilogue)
    assert done.codes.dtype == dtype
    assert (done.codes == min(255, high)).all()


def test_only_what_fits_the_lanes_is_compiled(integers):
    packed = pack_weights(integers(-128, 127, (30, 5)), (0, 255), 0, "portable_bytes")
    one = Constants(multiplier=np.ones(1, np.int64), shift=np.full(1, 8))

    def is_compiled(unit, bias=None, low=-128):
        return make_epilogue(packed, one, unit, bias, zero_point=0, low=low, high=127).is_compiled

    assert is_compiled(Requantizer(scheme="fixed_point"))
    assert not is_compiled(Requantizer(scheme="fixed_point"), low=-129)
    assert not is_compiled(Requantizer(scheme="fixed_point"), np.full(5, 1 << 31))
    assert not is_compiled(Requantizer(scheme="ap_fixed"))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_a_bound_plan_writes_what_the_plan_returns(dtype):
    """Bytes are read where they are; other types are checked and converted in every run."""
    random = np.random.default_rng(0)
    packed = pack_weights(random.integers(-128, 128, (20, 9)), (0, 255), 7)
    unit = Requantizer(scheme="float32")
    constants = definition("float32").constants(np.array([0.003]), unit)
    epilogue = make_epilogue(packed, constants, unit, zero_point=3, low=-128, high=127)
    a, codes, counts = np.zeros((5, 20), dtype), np.zeros((5, 9), np.int8), np.zeros(COUNTS, np.int64)
    plan = plan_gemm(a.shape, a.dtype, packed, epilogue)
    assert isinstance(plan, CompiledPlan)
    run = plan.bound(a, codes, counts)
    for _ in range(2):
        a[...] = random.integers(0, 256, a.shape)
        counts[:] = 0
        run()
        done = plan(a)
        assert np.array_equal(codes, done.codes)
        assert (counts[0], counts[1], max(counts[3], -counts[2])) == (done.below, done.above, done.peak)
    assert plan.bound(a, np.asfortranarray(codes), counts) is None
    assert plan.bound(a, codes.astype(np.int32), counts) is None
    if dtype != np.uint8:
        a[0, 0] = 256
        with pytest.raises(ExecutionError, match="256"):
            run()
