"""The Add of real conventions: every ``rescale_sum`` kernel against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.requantize import fast
from hwsim.kernels.requantizers._work import Terms
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition

SCHEMES = ("tflite_double", "cmsis_nn", "qnnpack_q31", "tflite_int16x8", "xnnpack_rndnu", "nvdla_sdp", "vta_shift")
WIDE = -(1 << 200), 1 << 200


def kernel_sum(tensors, constants, unit, zero_point, low, high):
    """The kernel of the unit's scheme, without the definition behind it."""
    terms = Terms(tensors=tensors, constants=constants, unit=unit, zero_point=zero_point, low=low, high=high)
    return fast(unit.scheme, "rescale_sum")(terms)


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), data=st.data(), zero_point=st.integers(-128, 127))
def test_add_kernel_is_the_definition(scheme, seed, data, zero_point):
    real = st.integers(-6, 4).map(lambda e: 2.0**e)
    real = real if scheme == "vta_shift" else real | st.floats(2.0**-6, 16)
    ratios = np.array([data.draw(real) for _ in range(data.draw(st.integers(1, 3)))])
    if scheme not in ("qnnpack_q31", "vta_shift"):
        ratios[-1] *= data.draw(st.sampled_from([1, -1]))
    unit, module = Requantizer(scheme=scheme), definition(scheme)
    made = module.sum_constants(ratios, unit)
    random = np.random.default_rng(seed)
    tensors = [random.integers(-255, 256, (3, 4)) for _ in ratios]
    rows = [list(row) for row in zip(*(x.ravel().tolist() for x in tensors), strict=True)]
    for low, high in ((-128, 127), (0, 127), (-8, 7)):
        codes, below, above = kernel_sum(tensors, made, unit, zero_point, low, high)
        free = [module.rescale_sum_one(row, made, unit, zero_point, *WIDE) for row in rows]
        assert codes.ravel().tolist() == [
            module.rescale_sum_one(row, made, unit, zero_point, low, high) for row in rows
        ]
        assert (below, above) == (sum(value < low for value in free), sum(value > high for value in free))


@pytest.mark.parametrize("scheme", ["tflite_double", "cmsis_nn"])
def test_ties_of_an_operand_in_the_add(scheme):
    """An operand 2^20 times finer than the other is halved to an integer: its ties go away from zero."""
    unit, module = Requantizer(scheme=scheme), definition(scheme)
    made = module.sum_constants(np.array([1.0, 2.0**20]), unit)
    codes = np.arange(-9, 10)
    got, *_ = kernel_sum([codes, np.zeros_like(codes)], made, unit, 0, -128, 127)
    assert got.tolist() == [module.rescale_sum_one([x, 0], made, unit, 0, -128, 127) for x in codes.tolist()]
    assert got[[6, 8, 10, 12]].tolist() == [-4, -2, 2, 4]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_ties_of_the_sum(scheme):
    unit, module = Requantizer(scheme=scheme), definition(scheme)
    made = module.sum_constants(np.array([0.5, 0.5]), unit)
    codes = np.arange(-9, 10)
    got, *_ = kernel_sum([codes, codes * 2], made, unit, 0, -128, 127)
    assert got.tolist() == [module.rescale_sum_one([x, 2 * x], made, unit, 0, -128, 127) for x in codes.tolist()]


def test_what_a_kernel_passes_on():
    wide, unit = [np.array([[4096]])], Requantizer(scheme="tflite_double")
    made = definition("tflite_double").sum_constants(np.array([1.0]), unit)
    assert kernel_sum(wide, made, unit, 0, -128, 127) is None
    huge = [np.array([[1 << 62]])] * 2
    for scheme in ("xnnpack_rndnu", "nvdla_sdp"):
        unit = Requantizer(scheme=scheme)
        made = definition(scheme).sum_constants(np.array([1.0, 4.0]), unit)
        assert kernel_sum(huge, made, unit, 0, -128, 127) is None


def test_vta_sums_beyond_64_bits():
    unit, module = Requantizer(scheme="vta_shift"), definition("vta_shift")
    made = module.sum_constants(np.array([1.0, 4.0]), unit)
    codes = [(1 << 62) + 5, (1 << 62) - 9]
    got, *_ = kernel_sum([np.array([[code]]) for code in codes], made, unit, 0, -128, 127)
    assert got.tolist() == [[module.rescale_sum_one(codes, made, unit, 0, -128, 127)]] == [[-31]]
