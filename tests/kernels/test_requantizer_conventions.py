"""The kernels of real conventions against their definitions: random and tie-rich sums, every multiplier and shift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.requantize import requantize
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import Constants

DOUBLE = ("tflite_double", "cmsis_nn", "qnnpack_q31")
SINGLE = ("tflite_int16x8", "xnnpack_rndnu", "nvdla_sdp", "vta_shift")
WIDE = -(1 << 200), 1 << 200
MULTIPLIERS = {
    "tflite_double": st.integers(-(1 << 31), (1 << 31) - 1) | st.sampled_from([-(1 << 31), 1 << 30, 0]),
    "cmsis_nn": st.integers(-(1 << 31), (1 << 31) - 1) | st.sampled_from([-(1 << 31), 1 << 30, 3 << 29]),
    "qnnpack_q31": st.builds(lambda m: m << 7, st.integers(1 << 23, (1 << 24) - 1) | st.sampled_from([1 << 23])),
    "tflite_int16x8": st.integers(1 << 14, 0x7FFF) | st.sampled_from([1 << 14, 0]),
    "xnnpack_rndnu": st.integers(1 << 23, (1 << 24) - 1) | st.sampled_from([1 << 23, 3 << 22]),
    "nvdla_sdp": st.integers(-32767, 32767) | st.sampled_from([1, -1, 1 << 14]),
    "vta_shift": st.just(1),
}
SHIFTS = {
    "tflite_double": st.integers(-40, 100) | st.integers(29, 36),
    "cmsis_nn": st.integers(-40, 100) | st.integers(29, 36),
    "qnnpack_q31": st.integers(31, 63) | st.integers(31, 36),
    "tflite_int16x8": st.integers(8, 46) | st.integers(13, 18),
    "xnnpack_rndnu": st.integers(16, 56) | st.integers(22, 28),
    "nvdla_sdp": st.integers(0, 63),
    "vta_shift": st.integers(-40, 70),
}


@st.composite
def sums(draw):
    """Accumulators of up to 63 bits, half of them on or beside a tie."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width = draw(st.sampled_from([4, 8, 20, 31, 31, 33, 47, 62]))
    acc = random.integers(-(1 << width), (1 << width) - 1, (8, draw(st.integers(1, 3))), endpoint=True)
    places = random.integers(0, width, acc[::2].shape)
    acc[::2] = ((acc[::2] >> places) << places) + random.integers(-1, 2, places.shape)
    acc[0, 0] = draw(st.sampled_from([-(1 << width), (1 << width) - 1, 0, 1, -1, -(1 << 31)]))
    return acc


ranges = st.sampled_from(
    [(-128, 127), (0, 255), (0, 127), (-8, 7), (-(1 << 15), (1 << 15) - 1), (-(1 << 31), (1 << 31) - 1)]
)
settled = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize("scheme", DOUBLE + SINGLE)
@settled
@given(acc=sums(), data=st.data(), bounds=ranges, offset=st.integers(0, 255))
def test_kernel_is_the_definition(scheme, acc, data, bounds, offset):
    n = acc.shape[1]
    multiplier = np.array([data.draw(MULTIPLIERS[scheme]) for _ in range(n)], np.int64)
    shift = np.array([data.draw(SHIFTS[scheme]) for _ in range(n)], np.int64)
    zero_point = 0 if scheme == "nvdla_sdp" else min(bounds[0] + offset, bounds[1])
    unit, one = Requantizer(scheme=scheme), definition(scheme).requantize_one
    got = requantize(acc, Constants(multiplier=multiplier, shift=shift), unit, zero_point, *bounds)
    columns = list(zip(acc.T.tolist(), multiplier.tolist(), shift.tolist(), strict=True))
    codes = [[one(x, m, s, unit, zero_point, *bounds) for x in column] for column, m, s in columns]
    free = [one(x, m, s, unit, zero_point, *WIDE) for column, m, s in columns for x in column]
    assert got.codes.T.tolist() == codes
    assert got.clipped_low == sum(value < bounds[0] for value in free)
    assert got.clipped_high == sum(value > bounds[1] for value in free)


@pytest.mark.parametrize("scheme", DOUBLE + SINGLE)
def test_every_small_tie(scheme):
    """Multipliers of one and two set bits; shifts that leave 1 to 8 places behind the binary point, or none."""
    acc, unit, one = np.arange(-600, 600), Requantizer(scheme=scheme), definition(scheme).requantize_one
    bit = {"tflite_int16x8": 14, "xnnpack_rndnu": 23, "nvdla_sdp": 14, "vta_shift": 0}.get(scheme, 30)
    pairs = [(factor, bit + places + 1) for factor in (1 << bit, 3 << bit >> 1) for places in range(8)]
    multiplier, shift = np.array(pairs).T.copy()
    columns = np.repeat(acc[:, None], len(pairs), 1)
    got = requantize(columns, Constants(multiplier=multiplier, shift=shift), unit, 0, -128, 127)
    for column, (factor, places) in zip(got.codes.T, pairs, strict=True):
        assert column.tolist() == [one(x, factor, places, unit, 0, -128, 127) for x in acc.tolist()]


@pytest.mark.parametrize(("scheme", "corner"), [("tflite_double", (1 << 31) - 1), ("cmsis_nn", -(1 << 31))])
def test_the_one_product_that_leaves_32_bits(scheme, corner):
    most = np.array([-(1 << 31)])
    constants = Constants(multiplier=most, shift=np.array([31]))
    got = requantize(most[:, None], constants, Requantizer(scheme=scheme), 0, -(1 << 31), (1 << 31) - 1)
    assert got.codes.tolist() == [[corner]]


@settled
@given(acc=sums(), scale=st.floats(2.0**-10, 4) | st.floats(-4.0, -(2.0**-10)), zero_point=st.integers(-128, 127))
def test_nvdla_offsets(acc, scale, zero_point):
    unit, module = Requantizer(scheme="nvdla_sdp"), definition("nvdla_sdp")
    made = module.constants(np.array([scale]), unit)
    got = requantize(acc, made, unit, zero_point, -128, 127)
    m, s = int(made.multiplier[0]), int(made.shift[0])
    one = [[module.requantize_one(x, m, s, unit, zero_point, -128, 127) for x in row] for row in acc.tolist()]
    assert got.codes.tolist() == one


def test_outputs_wider_than_the_17_bits_of_nvdla():
    constants = Constants(multiplier=np.ones(1, int), shift=np.zeros(1, int))
    got = requantize(np.array([[-(1 << 20)]]), constants, Requantizer(scheme="nvdla_sdp"), 0, -100_000, 100)
    assert got.codes.tolist() == [[-65536]]
    assert got.clipped_low == 0


def test_what_a_kernel_passes_on():
    """The public entry answers by the definition where 64 bits would not do."""
    for scheme, low, high in (("nvdla_sdp", -(1 << 20), 1 << 20), ("tflite_double", -(1 << 62), 1 << 62)):
        got = requantize(
            np.array([[1 << 20]]),
            Constants(multiplier=np.ones(1, int), shift=np.zeros(1, int)),
            Requantizer(scheme=scheme),
            0,
            low,
            high,
        )
        expected = definition(scheme).requantize_one(1 << 20, 1, 0, Requantizer(scheme=scheme), 0, low, high)
        assert got.codes.tolist() == [[expected]]
