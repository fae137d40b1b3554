"""Every scheme that has a file: priced, with a kernel, and kernel and definition agree for random widths and keys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.requantizers import requantize_pj, requantizer_area_um2
from hwsim.energy import load_table
from hwsim.errors import ConfigError, HwsimError
from hwsim.hardware.requantizer import RequantizerPart
from hwsim.hardware.requantizer_circuit import PRICED_AS, circuit, second_bits
from hwsim.kernels import requantize as requantize_module
from hwsim.kernels.requantize import fast, requantize
from hwsim.kernels.rescale_sum import rescale_sum
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizer import SHIFT_ONLY, WIDTHS, Requantizer
from hwsim.numerics.requantizers import definition, names
from hwsim.numerics.rounding import Rounding

each_scheme = pytest.mark.parametrize("scheme", names())
KEYS = {
    "multiplier_bits": st.integers(*WIDTHS["multiplier_bits"]),
    "rounding": st.sampled_from(list(Rounding)),
    "overflow": st.sampled_from(list(CodeOverflow)),
    "saturated_bits": st.integers(0, 3),
}
SUM_KEYS = KEYS | {"multiplier_bits": st.integers(14, 32)}
NEGATES = ("fixed_point", "float32", "tflite_double", "tflite", "cmsis_nn", "nvdla_sdp")
SUBTRACTS = (*NEGATES, "tflite_int16x8", "xnnpack_rndnu", "thresholds")
RANGES = [
    (-128, 127),
    (-127, 127),
    (0, 255),
    (0, 127),
    (-8, 7),
    (-1, 0),
    (0, 1),
    (-(1 << 15), (1 << 15) - 1),
    (-100, 70_000),
]
settled = settings(deadline=None, max_examples=60)


def draw_unit(data, scheme, keys=KEYS):
    """A unit with values for some of the keys that the scheme reads."""
    stated = {key: data.draw(keys[key]) for key in definition(scheme).KEYS if data.draw(st.booleans())}
    try:
        return Requantizer(scheme=scheme, **stated)
    except HwsimError:  # modes that the scheme does not combine
        return Requantizer(scheme=scheme)


def draw_scales(data, scheme, count, *, negative):
    """Real scales that every scheme takes."""
    exact = st.integers(-12, -1).map(lambda e: 2.0**e)
    one = exact if scheme in SHIFT_ONLY else exact | st.floats(2.0**-12, 0.99)
    signs = st.sampled_from([1, -1]) if scheme in negative else st.just(1)
    return np.array([data.draw(one) * data.draw(signs) for _ in range(count)])


def saturating(unit):
    return (
        unit
        if unit.overflow is None
        else Requantizer(
            scheme=unit.scheme,
            multiplier_bits=unit.multiplier_bits,
            rounding=unit.rounding,
            overflow=CodeOverflow.SATURATE,
        )
    )


def counts(one, cells, unit, zero_point, low, high):
    """How many results lie below and above the codes, told by the definition with ends far out."""
    free = [one(*cell, saturating(unit), zero_point, -(1 << 200), 1 << 200) for cell in cells]
    if unit.overflow is CodeOverflow.SATURATE_SYMMETRIC:
        low = max(low, -high)
    return sum(value < low for value in free), sum(value > high for value in free)


@each_scheme
@settled
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), bounds=st.sampled_from(RANGES))
def test_kernel_is_the_definition(scheme, data, seed, bounds):
    unit, n = draw_unit(data, scheme), data.draw(st.integers(1, 3))
    module, random = definition(scheme), np.random.default_rng(seed)
    constants = module.constants(draw_scales(data, scheme, n, negative=NEGATES), unit)
    width = data.draw(st.sampled_from([4, 8, 12, 18, 24, 31, 31, 34, 48, 62]))
    acc = random.integers(-(1 << width), (1 << width) - 1, (9, n), endpoint=True)
    acc[::2] = (acc[::2] >> 3 << 3) + random.integers(
        -1, 2, acc[::2].shape
    )  # on and beside ties of power-of-two scales
    zero_point = 0 if scheme == "nvdla_sdp" else data.draw(st.integers(*bounds))
    got = requantize(acc, constants, unit, zero_point, *bounds)
    columns = list(zip(constants.multiplier, constants.shift.tolist(), strict=True))
    cells = [(int(value), *column) for row in acc.tolist() for value, column in zip(row, columns, strict=True)]
    one = module.requantize_one
    assert got.codes.ravel().tolist() == [one(*cell, unit, zero_point, *bounds) for cell in cells]
    if (
        scheme != "vta_shift" or unit.overflow is CodeOverflow.SATURATE
    ):  # what VTA does not clip it wraps, and does not tell
        assert (got.clipped_low, got.clipped_high) == counts(one, cells, unit, zero_point, *bounds)


@each_scheme
@settled
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), bounds=st.sampled_from(RANGES))
def test_sum_kernel_is_the_definition(scheme, data, seed, bounds):
    unit, count = draw_unit(data, scheme, SUM_KEYS), data.draw(st.integers(1, 3))
    module, random = definition(scheme), np.random.default_rng(seed)
    constants = module.sum_constants(
        draw_scales(data, scheme, count, negative=SUBTRACTS).clip(-0.99, 0.99)
        * 4
        * (1 if scheme not in ("nvdla_cacc",) else 0.25),
        unit,
    )
    tensors = [random.integers(-255, 256, (3, 4)) for _ in range(count)]
    zero_point = data.draw(st.integers(*bounds))
    got = rescale_sum(tensors, constants, unit, zero_point, *bounds)
    rows = [(list(row), constants) for row in zip(*(x.ravel().tolist() for x in tensors), strict=True)]
    one = module.rescale_sum_one
    assert got.codes.ravel().tolist() == [one(*row, unit, zero_point, *bounds) for row in rows]
    if scheme != "vta_shift" or unit.overflow is CodeOverflow.SATURATE:
        assert (got.clipped_low, got.clipped_high) == counts(one, rows, unit, zero_point, *bounds)


@each_scheme
def test_the_kernel_runs_ordinary_layers_itself(scheme, monkeypatch):
    """8-bit outputs of 32-bit accumulators never fall back to the definition."""

    def refuse(work):
        raise AssertionError(f"{scheme} ran its definition")

    monkeypatch.setattr(requantize_module, "_one_by_one", refuse)
    unit = Requantizer(scheme=scheme)
    acc = np.random.default_rng(3).integers(-(1 << 31), 1 << 31, (50, 2))
    constants = definition(scheme).constants(np.array([2.0**-20, 2.0**-24]), unit)
    requantize(acc, constants, unit, 0, -128, 127)
    assert callable(fast(scheme, "rescale_sum"))


@each_scheme
def test_every_scheme_is_priced(scheme):
    table, part = load_table("generic_45nm"), RequantizerPart(scheme=scheme)
    assert circuit(scheme, 32)[0] in (*PRICED_AS,)
    for accumulator in (24, 32):
        second = second_bits(part, 8)
        assert requantize_pj(table, scheme, accumulator, second) > 0
        assert requantizer_area_um2(table, scheme, accumulator, second) > 0
    assert requantize_pj(table, scheme, 32, second) > requantize_pj(table, scheme, 24, second)


def test_what_sets_the_price():
    table = load_table("generic_45nm")
    assert second_bits(RequantizerPart(multiplier_bits=12)) == 12
    assert second_bits(RequantizerPart(scheme="nvdla_sdp")) == 16
    assert second_bits(RequantizerPart(scheme="thresholds"), 4) == 4
    assert requantize_pj(table, "thresholds", 24, 4) == 2 * requantize_pj(table, "thresholds", 24, 2)
    with pytest.raises(
        ConfigError, match=r"'rounder' has no price; add the circuit it is to hwsim/hardware/requantizer_circuit\.py"
    ):
        circuit("rounder", 8)


@pytest.mark.parametrize("overflow", list(CodeOverflow))
def test_a_fused_clamp_behind_an_overflow(overflow):
    """A ReLU on int8: the register is the format's, not that of the codes 0 to 127."""
    unit = Requantizer(scheme="power_of_two", overflow=overflow)
    constants = definition("power_of_two").constants(np.ones(1), unit)
    acc = np.arange(-600, 600)
    got = requantize(acc[:, None], constants, unit, 0, 0, 127, ends=(-128, 127)).codes[:, 0]
    one = definition("power_of_two").requantize_one
    assert got.tolist() == [max(one(int(x), 1, 0, unit, 0, -128, 127), 0) for x in acc]
    added = definition("power_of_two").sum_constants(np.ones(1), unit)
    assert rescale_sum([acc], added, unit, 0, 0, 127, ends=(-128, 127)).codes.tolist() == got.tolist()


@pytest.mark.parametrize("overflow", list(CodeOverflow))
def test_what_the_definition_counts(overflow):
    """A result of 2^64 takes the place of the kernel; -128 is beyond the ends of a symmetric register only."""
    unit = Requantizer(scheme="power_of_two", overflow=overflow)
    constants = definition("power_of_two").constants(np.array([8.0]), unit)
    acc = [1 << 61, -(1 << 61), -16, 15, 3]
    got = requantize(np.array(acc)[:, None], constants, unit, 0, -128, 127)
    one = definition("power_of_two").requantize_one
    assert got.codes[:, 0].tolist() == [one(x, 1, -3, unit, 0, -128, 127) for x in acc]
    assert (got.clipped_low, got.clipped_high) == (2 if overflow is CodeOverflow.SATURATE_SYMMETRIC else 1, 1)


def test_vta_clamps_before_it_wraps():
    unit = Requantizer(scheme="vta_shift")
    constants = definition("vta_shift").constants(np.ones(1), unit)
    got = requantize(np.array([[400], [-5]]), constants, unit, 0, 0, 127, ends=(-128, 127))
    assert got.codes.tolist() == [[-112], [0]]
    stored = Requantizer(scheme="vta_shift", overflow=CodeOverflow.SATURATE)
    assert requantize(np.array([[400], [-5]]), constants, stored, 0, 0, 127).codes.tolist() == [[127], [0]]


def test_a_scheme_that_defines_a_function_itself_does_not_take_the_fast_twin_of_another():
    assert (
        fast("vta_shift", "requantize") is not fast("power_of_two", "requantize") is fast("fixed_point", "requantize")
    )
    assert (
        fast("tflite", "requantize") is fast("tflite_double", "requantize") is not fast("tflite_int16x8", "requantize")
    )
    assert fast("tflite_int16x8", "rescale_sum") is fast("tflite_double", "rescale_sum") is not None
    assert fast("cmsis_nn", "rescale_sum") is not fast("tflite_double", "rescale_sum")
