import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.rescale_sum import rescale_sum
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.rounding import Rounding


def unit_of(scheme, **keys):
    """A unit with those of the keys that the scheme reads."""
    return Requantizer(scheme=scheme, **{key: value for key, value in keys.items() if key in definition(scheme).KEYS})


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    ratios=st.lists(st.floats(0.01, 8.0) | st.floats(-8.0, -0.01), min_size=1, max_size=4),
    scheme=st.sampled_from(["fixed_point", "float32", "power_of_two"]),
    bits=st.integers(12, 32),
    width=st.sampled_from([8, 16, 40]),
    rounding=st.sampled_from(list(Rounding)),
    zero_point=st.integers(-128, 127),
)
def test_kernel_is_the_definition(seed, ratios, scheme, bits, width, rounding, zero_point):
    real = np.array(ratios)
    if scheme == "power_of_two":
        real = 2.0 ** np.rint(np.log2(np.abs(real)))
    unit = unit_of(scheme, multiplier_bits=bits, rounding=rounding)
    random = np.random.default_rng(seed)
    tensors = [random.integers(-(1 << width), (1 << width) + 1, (3, 5)) for _ in ratios]
    module = definition(scheme)
    constants = module.sum_constants(real, unit)
    got = rescale_sum(tensors, constants, unit, zero_point, -128, 127)
    rows = list(zip(*(x.ravel().tolist() for x in tensors), strict=True))
    free = [module.rescale_sum_one(list(row), constants, unit, zero_point, -(1 << 99), 1 << 99) for row in rows]
    expected = [module.rescale_sum_one(list(row), constants, unit, zero_point, -128, 127) for row in rows]
    assert got.codes.ravel().tolist() == expected
    assert (got.clipped_low, got.clipped_high) == (sum(v < -128 for v in free), sum(v > 127 for v in free))


def test_every_pair_of_four_bit_codes():
    x, y = (array.ravel() for array in np.meshgrid(np.arange(-8, 8), np.arange(-8, 8)))
    for scheme in ("fixed_point", "float32", "power_of_two"):
        for rounding in Rounding:
            unit = unit_of(scheme, multiplier_bits=8, rounding=rounding)
            module = definition(scheme)
            constants = module.sum_constants(np.array([0.25, 0.5]), unit)
            got = rescale_sum([x, y], constants, unit, 1, -4, 3)
            one = [module.rescale_sum_one([a, b], constants, unit, 1, -4, 3) for a, b in zip(x, y, strict=True)]
            assert got.codes.tolist() == one


def test_as_many_multipliers_as_tensors():
    constants = definition("float32").sum_constants(np.array([1.0]), Requantizer())
    with pytest.raises(ExecutionError, match="2 tensors need as many multipliers, not 1"):
        rescale_sum([np.ones(2, int)] * 2, constants, Requantizer(), 0, 0, 1)
