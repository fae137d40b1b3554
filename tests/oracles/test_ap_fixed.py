"""ap_fixed casts against the public C++ headers: every row of every file of reference data, kernel and definition."""

import itertools
import re

import numpy as np
import pytest

from hwsim.kernels.requantize import requantize
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.formats import FixedFormat, IntFormat
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import Constants
from tests.oracles.reference_data import files

ap_fixed = definition("ap_fixed")

SOURCE = re.compile(r"raw_src_ap_(u?)fixed([0-9]+)_(-?[0-9]+)")
MODES = list(itertools.product(ap_fixed.ROUNDINGS, ap_fixed.OVERFLOWS))


@pytest.fixture(scope="module", params=files("arithmetic/ap_fixed_golden*.npz"))
def casts(request):
    """Rows of one file, by modes and then by the cast: (format, unit, places dropped) -> sources and results."""
    groups: dict[tuple, dict[tuple, list]] = {modes: {} for modes in MODES}
    with np.load(request.param) as arrays:
        names = arrays["cols"].tolist()
        (source,) = (name for name in names if SOURCE.fullmatch(name))
        width, integer_bits = (int(number) for number in SOURCE.fullmatch(source).groups()[1:])
        column = dict(zip(names, arrays["num"].T.tolist(), strict=True))
        modes = zip(arrays["mode"].tolist(), arrays["ovf"].tolist(), strict=True)
        rows = zip(*(column[name] for name in ("W", "I", "signed", "N", source, "raw_dst")), strict=True)
        for (mode, overflow), (bits, integers, signed, saturated, value, result) in zip(modes, rows, strict=True):
            named = f"AP_{mode}", f"AP_{overflow.rstrip('0123456789')}"
            places = (width - integer_bits) - (bits - integers)
            key = (IntFormat(bits=bits, signed=bool(signed)), ap_fixed.unit_of(*named, saturated), places)
            groups[named].setdefault(key, []).append((value, result))
    return groups


def of_modes(casts, rounding, overflow):
    found = casts[rounding, overflow]
    if not found:
        pytest.skip(f"this file of reference data has no row of {rounding} and {overflow}")
    return found.items()


each_mode = pytest.mark.parametrize(("rounding", "overflow"), MODES)


@each_mode
def test_definition(casts, rounding, overflow):
    wrong = [
        (number, unit, source, result)
        for (number, unit, places), rows in of_modes(casts, rounding, overflow)
        for source, result in rows
        if ap_fixed.requantize_one(source, 1, places, unit, 0, number.minimum, number.maximum) != result
    ]
    assert not wrong, f"{len(wrong)} rows differ, the first is {wrong[0]}"


@each_mode
def test_kernel(casts, rounding, overflow):
    for (number, unit, places), rows in of_modes(casts, rounding, overflow):
        source, result = np.array(rows).T
        constants = Constants(multiplier=np.ones(1, np.int64), shift=np.array([places]))
        got = requantize(source[:, None], constants, unit, 0, number.minimum, number.maximum).codes[:, 0]
        assert np.array_equal(got, result), (number, str(unit), places)


@pytest.mark.parametrize("rounding", ap_fixed.ROUNDINGS)
@pytest.mark.parametrize("overflow", ["AP_SAT", "AP_WRAP"])
def test_floating_point_sources(casts, rounding, overflow):
    """The fixed-point format rounds the same numbers to the same codes, where its overflow is one that it has."""
    saturate = ap_fixed.OVERFLOWS[overflow] is CodeOverflow.SATURATE
    found = [item for item in of_modes(casts, rounding, overflow) if not item[0][1].saturated_bits]
    if not found:
        pytest.skip(f"this file of reference data has {overflow} with saturated bits only")
    for (number, unit, places), rows in found:
        target = FixedFormat(width=number.bits, integer_bits=number.bits, signed=number.signed)
        source, result = np.array(rows).T
        real = np.ldexp(source.astype(float), -places)
        assert np.array_equal(target.encode_real(real, rounding=unit.rounding, saturate=saturate), result)
