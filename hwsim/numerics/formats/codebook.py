"""A table of values: a code is an index into it. Values are exact rationals, so that products have exact sums."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import gcd, inf, isfinite, lcm

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats.storage import integer_dtype
from hwsim.numerics.rounding import DIRECTED, Rounding

OPERAND_BITS = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """``values[code]``; a real number gets the code of the nearest value.

    Args:
        name: how the table is called; tables that ``parse_format`` can make are called by their text.
        values: two or more different numbers in the order of their codes; floats are taken as the rationals that they are.
        thresholds: for the values in ascending order, where one ends and the next begins (which owns the threshold),
            ascending, one less than there are values. None: in the middle, ties by the ``rounding`` of the encoder;
            directed roundings mean the value on that side.

    Raises:
        HwsimError: fewer than two values, a value twice, thresholds that do not ascend or do not fit.

    >>> table = Codebook(name="levels", values=(0, Fraction(1, 4), 1, -1))
    >>> table.encode_real(np.array([-3.0, 0.1, 0.2, 0.625])).tolist(), table.unit
    ([3, 0, 1, 2], Fraction(1, 4))
    """

    name: str
    values: tuple[Fraction, ...]
    thresholds: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for value in self.values:
            if isinstance(value, float) and not isfinite(value):
                raise HwsimError(f"codebook {self.name}: values must be finite, not {value}")
        object.__setattr__(self, "values", tuple(Fraction(value) for value in self.values))
        if len(set(self.values)) != len(self.values) or len(self.values) < 2:
            raise HwsimError(f"codebook {self.name}: two or more different values are needed, not {len(self.values)}")
        if self.thresholds is not None:
            ascending = all(a < b for a, b in pairwise(self.thresholds))
            if len(self.thresholds) != len(self.values) - 1 or not ascending:
                raise HwsimError(
                    f"codebook {self.name}: {len(self.values)} values need {len(self.values) - 1} ascending "
                    f"thresholds, not {self.thresholds}"
                )

    def __hash__(self) -> int:
        return hash((self.name, len(self.values)))  # rationals hash slowly, and a table is looked up often

    @property
    def bits(self) -> int:
        """Width of an index."""
        return (len(self.values) - 1).bit_length()

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest unsigned numpy integer that holds an index."""
        return integer_dtype(self.bits, signed=False)

    @property
    def unit(self) -> Fraction:
        """The largest rational of which every value is a multiple."""
        denominator = lcm(*(value.denominator for value in self.values))
        return Fraction(gcd(*(int(value * denominator) for value in self.values)), denominator)

    @property
    def operand_range(self) -> tuple[int, int]:
        """The smallest and the largest operand, of any size."""
        return int(min(self.values) / self.unit), int(max(self.values) / self.unit)

    def encode_real(
        self, real: np.ndarray, *, rounding: Rounding = Rounding.HALF_EVEN, saturate: bool = True
    ) -> np.ndarray:
        """Return the codes of ``real`` (any shape): exact comparisons with thresholds.

        Args:
            real: floating-point numbers.
            rounding: of numbers in the middle of two values (``half_even``: the even place in ascending order, counted
                from the first value that is not negative); directed roundings choose the side. Not read where the table
                has thresholds of its own.
            saturate: not read: a table has ends and no rule beyond them.

        Raises:
            HwsimError: NaN, which has no nearest value.
        """
        numbers = np.asarray(real, dtype=np.float64)
        if np.isnan(numbers).any():
            raise HwsimError(f"codebook {self.name}: NaN has no nearest value; check the data")
        order, edges = _edges(self, rounding)
        return order[np.searchsorted(edges, numbers, side="right")].astype(self.storage_dtype)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return ``values[codes]`` as float64, each rounded to it where it is no float64."""
        return _decoded(self)[np.asarray(codes).astype(np.int64)]

    def operands(self, codes: np.ndarray) -> np.ndarray:
        """Return ``values[codes] / unit`` as int64; raise HwsimError where the table spans more than 63 bits."""
        largest = max(abs(end) for end in self.operand_range)
        if largest.bit_length() > OPERAND_BITS:
            raise HwsimError(
                f"codebook {self.name}: operands have at most {OPERAND_BITS} bits and a sign, but the values are "
                f"multiples of {self.unit} up to {largest} times; round them to a common step"
            )
        return _table(self)[np.asarray(codes).astype(np.int64)]

    def __str__(self) -> str:
        return self.name


@lru_cache(maxsize=64)
def _decoded(book: Codebook) -> np.ndarray:
    return np.array([float(value) for value in book.values])


@lru_cache(maxsize=64)
def _table(book: Codebook) -> np.ndarray:
    unit = book.unit
    return np.array([int(value / unit) for value in book.values], dtype=np.int64)


@lru_cache(maxsize=64)
def _edges(book: Codebook, rounding: Rounding) -> tuple[np.ndarray, np.ndarray]:
    """Return codes in ascending order of their values, and for each but the first the smallest float64 that gets it."""
    order = sorted(range(len(book.values)), key=lambda code: book.values[code])
    values = [book.values[code] for code in order]
    if book.thresholds is not None:
        edges = list(book.thresholds)
    else:
        pairs, first = pairwise(values), -sum(value < 0 for value in values)
        edges = [_edge(low, high, place, rounding) for place, (low, high) in enumerate(pairs, first)]
    return np.array(order), np.array(edges)


def _edge(low: Fraction, high: Fraction, place: int, rounding: Rounding) -> float:
    """Return the smallest float64 that goes to ``high`` rather than ``low``, its neighbour below, number ``place``."""
    middle = (low + high) / 2
    upper_owns = {
        Rounding.HALF_UP: True,
        Rounding.HALF_DOWN: False,
        Rounding.HALF_AWAY: middle > 0,
        Rounding.HALF_TO_ZERO: middle < 0,
        Rounding.HALF_EVEN: place % 2 == 1,
        Rounding.FLOOR: True,
        Rounding.CEIL: False,
        Rounding.TO_ZERO: low >= 0,
        Rounding.AWAY: low < 0,
    }[rounding]
    border = middle
    if rounding in DIRECTED:
        border = high if upper_owns else low
        if low < 0 < high and rounding in (Rounding.TO_ZERO, Rounding.AWAY):
            border, upper_owns = (middle, True)
    edge = float(border)
    if Fraction(edge) < border or (Fraction(edge) == border and not upper_owns):
        edge = float(np.nextafter(edge, inf))
    return edge
