"""ap_fixed casts against the public C++ headers: every row of every file of reference data, kernel and definition."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from hwsim.kernels.requantize import requantize
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizers import ap_fixed
from hwsim.numerics.requantizers._constants import Constants

FOLDER = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
SOURCE = re.compile(r"raw_src_ap_(u?)fixed([0-9]+)_(-?[0-9]+)")


@pytest.fixture(scope="module")
def casts():
    """Rows of every file, by the cast: (width, integer bits, signed, modes, places dropped) -> sources and results."""
    found = sorted(FOLDER.glob("arithmetic/ap_fixed_golden*.npz"))
    if not found:
        pytest.skip(f"no reference data: {FOLDER / 'arithmetic/ap_fixed_golden*.npz'} (set HWSIM_REFERENCE_DATA)")
    groups: dict[tuple, list] = {}
    for path in found:
        with np.load(path) as arrays:
            names = arrays["cols"].tolist()
            match = SOURCE.fullmatch(names[4])
            assert match, names
            rows = zip(arrays["mode"].tolist(), arrays["ovf"].tolist(), arrays["num"].tolist(), strict=True)
            for mode, overflow, (width, integer_bits, signed, saturated, source, result) in rows:
                places = (int(match[2]) - int(match[3])) - (width - integer_bits)
                unit = ap_fixed.unit_of(f"AP_{mode}", f"AP_{overflow.rstrip('0123456789')}", saturated)
                key = (IntFormat(bits=width, signed=bool(signed)), unit, places)
                groups.setdefault(key, []).append((source, result))
    return groups


def test_definition(casts):
    wrong = [
        (number, unit, source, result)
        for (number, unit, places), rows in casts.items()
        for source, result in rows
        if ap_fixed.requantize_one(source, 1, places, unit, 0, number.minimum, number.maximum) != result
    ]
    assert not wrong, f"{len(wrong)} rows differ, the first is {wrong[0]}"
    assert {unit.overflow for _, unit, _ in casts} == set(ap_fixed.OVERFLOWS.values())
    assert {unit.rounding for _, unit, _ in casts} == set(ap_fixed.ROUNDINGS.values())


def test_kernel(casts):
    for (number, unit, places), rows in casts.items():
        source, result = np.array(rows).T
        constants = Constants(multiplier=np.ones(1, np.int64), shift=np.array([places]))
        got = requantize(source[:, None], constants, unit, 0, number.minimum, number.maximum).codes[:, 0]
        assert np.array_equal(got, result), (number, str(unit), places)


def test_floating_point_sources(casts):
    """The fixed-point format rounds the same numbers to the same codes, where its overflow is one that it has."""
    from hwsim.numerics.code_overflow import CodeOverflow
    from hwsim.numerics.formats import FixedFormat

    compared = 0
    for (number, unit, places), rows in casts.items():
        if unit.overflow not in (CodeOverflow.SATURATE, CodeOverflow.WRAP) or unit.saturated_bits:
            continue
        target = FixedFormat(width=number.bits, integer_bits=number.bits, signed=number.signed)
        source, result = np.array(rows).T
        saturate = unit.overflow is CodeOverflow.SATURATE
        codes = target.encode_real(np.ldexp(source.astype(float), -places), rounding=unit.rounding, saturate=saturate)
        assert np.array_equal(codes, result)
        compared += len(rows)
    assert compared
