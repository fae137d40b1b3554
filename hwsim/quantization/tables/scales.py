"""Scales of symmetric grids, whatever their values: one per row, all rows at once.

``minmax``: the largest magnitude lands on the grid's end. ``mse``: fractions of that scale are tried, coarse and then fine,
and the one with the least squared error is kept (Nagel et al. 2021, section 3.1, eq. 8); where scales are powers of two,
powers are tried. The scale of ``minmax`` is always among the candidates and wins ties.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats import FloatFormat, Format, IntFormat, LearnedTable
from hwsim.quantization.grid import symmetric_scales
from hwsim.quantization.ranges._search import FRACTIONS
from hwsim.quantization.tables.rows import Rows, gathered

ESTIMATORS = ("minmax", "mse")
COARSE_STEP = 5
POWERS = 8
BLOCK = 1 << 20  # elements at once
WIDE_FLOAT_BITS = 16
NEXT_TO_ZERO = (
    2.0**-64
)  # so small that it adds to no sum, so large that its products with other scales are float32 numbers


def grid_end(number: Format) -> float:
    """Return the value of the grid on which the largest magnitude lands.

    >>> [grid_end(IntFormat.parse(text)) for text in ("int4", "int4n", "int1")]
    [7.0, 7.0, 1.0]
    """
    if isinstance(number, IntFormat):
        return float(max(number.maximum, 1))
    return float(max(abs(end) for end in number.operand_range) * number.unit)


def row_scales(parts: Sequence[Rows], number: Format, estimator: str, *, power_of_two: bool) -> np.ndarray:
    """Return the scale of every row, float64 ``[scales]`` of float32 values.

    A row of zeros has scale 1, and ``NEXT_TO_ZERO`` on a grid without 0.

    Args:
        parts: the tensor.
        number: the grid, symmetric or any table. Floats of 16 bits and more hold weights as they are, at scale 1.
        estimator: ``minmax`` or ``mse``.
        power_of_two: allow powers of two only.

    Raises:
        HwsimError: an estimator that has no meaning here, numbers that are not finite.
    """
    check_estimator(number, estimator)
    if isinstance(number, FloatFormat) and number.bits >= WIDE_FLOAT_BITS:
        return np.ones(sum(part.scale.size for part in parts))
    found = gathered(parts, [_scales(part.values, number, estimator, power_of_two) for part in parts])
    return with_zeros(parts, number, found)


def with_zeros(parts: Sequence[Rows], number: Format, scales: np.ndarray) -> np.ndarray:
    """Return the scales with ``NEXT_TO_ZERO`` for rows of zeros where the grid, such as ``bipolar``, does not hold 0."""
    if holds_zero(number):
        return scales
    dead = gathered(parts, [np.abs(part.values).max(axis=1) for part in parts]) == 0
    return np.where(dead, NEXT_TO_ZERO, scales)


def holds_zero(number: Format) -> bool:
    """Whether real 0 has a code.

    >>> from hwsim.numerics.formats import parse_format
    >>> [holds_zero(parse_format(text)) for text in ("int4", "ternary", "bipolar")]
    [True, True, False]
    """
    return bool(number.decode(number.encode_real(np.zeros(1)))[0] == 0.0)


def check_estimator(number: Format | LearnedTable, estimator: str) -> None:
    """Raise HwsimError for a range estimator that has no meaning on a table of values."""
    if estimator not in ESTIMATORS:
        raise HwsimError(
            f'quantization: weights on {number} take range = "minmax" or "mse", not {estimator!r}; state one of them, and '
            f'activation_range = "{estimator}" for the activations'
        )


def total_error(parts: Sequence[Rows], number: Format, scales: np.ndarray) -> float:
    """Return ``||w - q(w)||^2`` over all rows on the grid with these scales."""
    return float(sum(squared_errors(part.values, scales[part.scale], number).sum() for part in parts))


def squared_errors(values: np.ndarray, scales: np.ndarray, number: Format) -> np.ndarray:
    """Return ``sum (q(value) - value)^2`` of each row, float64 ``[rows]``: what ``QuantParams`` encodes and decodes.

    Args:
        values: float32 ``[rows, elements]``.
        scales: ``[rows]``.
        number: a grid without a zero point.
    """
    errors = np.empty(len(values))
    step = max(1, BLOCK // max(values.shape[1], 1))
    for start in range(0, len(values), step):
        part, scale = values[start : start + step], scales[start : start + step, None].astype(np.float32)
        decoded = number.decode(number.encode_real(part / scale))
        errors[start : start + step] = np.square(decoded * scale - part).sum(axis=1)
    return errors


def _scales(values: np.ndarray, number: Format, estimator: str, power_of_two: bool) -> np.ndarray:
    peaks = np.abs(values).max(axis=1).astype(np.float64)
    end = grid_end(number)
    widest = symmetric_scales(peaks, end, power_of_two=power_of_two)
    if estimator == "minmax":
        return widest

    def candidate(place: np.ndarray) -> np.ndarray:
        if power_of_two:
            return np.where(peaks > 0, widest * 2.0**-place, widest)
        return symmetric_scales(peaks * FRACTIONS[place], end)

    best, least = np.zeros(len(values), dtype=np.int64), squared_errors(values, widest, number)

    def attempt(place: np.ndarray) -> None:
        errors = squared_errors(values, candidate(place), number)
        better = errors < least
        best[better], least[better] = place[better], errors[better]

    last = POWERS if power_of_two else FRACTIONS.size - 1
    for coarse in range(1, last + 1) if power_of_two else range(COARSE_STEP, last + 1, COARSE_STEP):
        attempt(np.full(len(values), coarse))
    if not power_of_two:
        around = best.copy()
        for fine in (*range(1 - COARSE_STEP, 0), *range(1, COARSE_STEP)):
            attempt(np.clip(around + fine, 0, last))
    return candidate(best)
