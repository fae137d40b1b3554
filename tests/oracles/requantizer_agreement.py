"""A requantizer beside expected codes, twice: the kernel on the whole column, the definition value by value."""

import numpy as np

from hwsim.kernels.requantize import requantize
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import Constants


def computed(values, multiplier, shift, unit, low, high):
    """Return the kernel's codes: one row of values, constants of each."""
    constants = Constants(multiplier=multiplier, shift=shift)
    return requantize(np.asarray(values)[None, :], constants, unit, 0, low, high).codes[0]


def agree(values, multiplier, shift, unit, low, high, expected):
    """Assert that kernel and definition both give ``expected``."""
    got = computed(values, multiplier, shift, unit, low, high)
    wrong = np.flatnonzero(got != expected)
    assert not wrong.size, f"{wrong.size} of {len(expected)} rows differ, the first is row {wrong[0]}"
    one = definition(unit.scheme).requantize_one
    rows = zip(np.asarray(values).tolist(), multiplier, shift.tolist(), strict=True)
    assert [one(x, m, s, unit, 0, low, high) for x, m, s in rows] == np.asarray(expected).tolist()
