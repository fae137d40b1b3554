"""MX blocks against a definition with exact rationals, written from the specification block by block."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hwsim.errors import HwsimError
from hwsim.numerics.mx import ELEMENTS, MxFormat
from hwsim.numerics.rounding import Rounding

EMAX = {"mxfp8e5m2": 15, "mxfp8e4m3": 8, "mxfp6e3m2": 4, "mxfp6e2m3": 2, "mxfp4": 2, "mxint8": 0}
LARGEST = {"mxfp8e5m2": 57344, "mxfp8e4m3": 448, "mxfp6e3m2": 28, "mxfp6e2m3": 7.5, "mxfp4": 6, "mxint8": 127 / 64}
FINEST = {"mxfp8e5m2": -16, "mxfp8e4m3": -9, "mxfp6e3m2": -4, "mxfp6e2m3": -3, "mxfp4": -1, "mxint8": -6}
MANTISSA = {"mxfp8e5m2": 2, "mxfp8e4m3": 3, "mxfp6e3m2": 2, "mxfp6e2m3": 3, "mxfp4": 1, "mxint8": None}
reals = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.floats(-8, 8, width=32)


def floor_log2(value):
    """Exponent of two of a positive rational."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent - (value < Fraction(2) ** exponent)


def block_by_definition(block, name, rounding):
    """Scale exponent and values of one block; exponent None for NaN."""
    exact = [Fraction(float(x)) for x in block]
    peak = max(abs(x) for x in exact)
    shared = max((floor_log2(peak) if peak else -126) - EMAX[name], -127)
    if shared > 127:
        return None, None
    values = []
    for x in exact:
        scaled, step = abs(x) / Fraction(2) ** shared, Fraction(2) ** FINEST[name]
        if MANTISSA[name] is not None and scaled:
            step = max(step, Fraction(2) ** (floor_log2(scaled) - MANTISSA[name]))
        count = scaled / step
        if rounding is Rounding.HALF_EVEN:
            whole = round(count)
        elif rounding is Rounding.HALF_AWAY:
            whole = int(count + Fraction(1, 2))
        else:
            whole = int(count)
        size = min(whole * step, Fraction(LARGEST[name]))
        values.append(float((-size if x < 0 else size) * Fraction(2) ** shared))
    return shared, values


@pytest.mark.parametrize("name", ELEMENTS)
@given(
    block=st.lists(reals, min_size=1, max_size=5),
    rounding=st.sampled_from([Rounding.HALF_EVEN, Rounding.HALF_AWAY, Rounding.TO_ZERO]),
)
def test_one_block(name, block, rounding):
    number = MxFormat(name=name)
    packed = number.encode(np.array(block), rounding=rounding)
    shared, values = block_by_definition(block, name, rounding)
    assert packed.scales.dtype == np.uint8
    if shared is None:
        assert packed.scales.tolist() == [255]
        assert np.isnan(number.decode(packed)).all()
        assert not packed.elements.any()
    else:
        assert packed.scales.tolist() == [shared + 127]
        assert number.decode(packed).tolist() == values
        assert number.params(packed).decode(packed.elements).tolist() == np.float32(values).tolist()


@given(
    data=arrays(np.float32, (3, 11, 2), elements=st.floats(-50, 50, width=32)), axis=st.sampled_from([0, 1, 2, -1, -2])
)
def test_blocks_along_any_axis(data, axis):
    """Blocks of four along an axis are those of its slices; the last one is shorter."""
    number = MxFormat(name="mxfp6e2m3", block=4)
    packed = number.encode(data, axis=axis)
    got = np.moveaxis(number.decode(packed), axis, -1)
    rows = np.moveaxis(data, axis, -1)
    for index in np.ndindex(rows.shape[:-1]):
        for start in range(0, rows.shape[-1], 4):
            alone = number.encode(rows[index][start : start + 4])
            assert got[index][start : start + 4].tolist() == number.decode(alone).tolist()
    assert packed.scales.shape[axis] == -(-data.shape[axis] // 4)


@pytest.mark.parametrize("name", ELEMENTS)
def test_zeros_infinity_and_the_smallest_scale(name):
    number = MxFormat(name=name, block=2)
    packed = number.encode(np.array([0.0, 0.0, np.inf, 1.0, np.nan, 1.0, 2.0**-149, 0.0]))
    assert packed.scales.tolist() == [max(1 - EMAX[name], 0), 255, 255, 0]
    assert np.isnan(number.decode(packed)).tolist() == [False] * 2 + [True] * 4 + [False] * 2
    with pytest.raises(HwsimError, match="2 blocks have the scale NaN"):
        number.params(packed)


def test_the_largest_scale():
    """2^127 is a scale, what is beyond it is NaN."""
    number = MxFormat(name="mxint8")
    packed = number.encode(np.array([1.5 * 2.0**127]))
    assert packed.scales.tolist() == [254]
    assert number.decode(packed).tolist() == [1.5 * 2.0**127]
    assert number.encode(np.array([2.0**128])).scales.tolist() == [255]


def test_what_cannot_be():
    with pytest.raises(HwsimError, match="mx: format 'mxfp5' is unknown; did you mean"):
        MxFormat(name="mxfp5")
    with pytest.raises(HwsimError, match="a block has 1 or more elements, not 0"):
        MxFormat(name="mxfp4", block=0)
    with pytest.raises(HwsimError, match="reshape it"):
        MxFormat(name="mxfp4").encode(np.array(1.0))
    assert MxFormat(name="mxfp4").bits_per_element == 4.25
    assert (str(MxFormat(name="mxint8")), str(MxFormat(name="mxint8", block=16))) == ("mxint8", "mxint8/16")
