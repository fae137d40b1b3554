"""Sums over k whose scales change on the way: every fold's partial sum is rescaled before it joins the accumulator.

Where the scales of the ifmap or of the weight change along k, the sum falls into *segments* of one scale pair each
(``hwsim.graph.partition``), and a fold of the array never crosses from one into the next. ``hwsim.numerics.scaled_sums``
adds by this definition:

* the products of a fold meet in the ``psum`` register inside the array, by its overflow rule, from zero;
* where weights have a zero point, ``- zero point * sum(ifmap)`` of the fold joins that sum beside the array, exactly;
* as the sum leaves the array it is rescaled by the ratio of its segment and rounded to an integer term;
* the term is added to the ``accumulator`` register, by its overflow rule, fold after fold in the machine's order.

The accumulator of output column n counts in ``unit[n] * 2^-F``: ``unit[n]`` is the largest ``ifmap scale * weight scale`` of
the segments that have a weight other than 0 in that column, so that no ratio exceeds 1, and F are the fraction bits.

What is constant is one integer per column, rounded once, halves to even, from its exact rational value: the bias in those
units, and the static zero-point terms ``- zx sum(w) + K zx zw`` of every segment *times the multiplier that the segment's
sums meet*, so that they cancel exactly what they stand for.

Three kinds of scaler, by their text forms:

* ``fixed_point[:B[:F[:rounding]]]``: ``M = round(ratio * 2^(B-1))``, halves to even, of B bits without a sign (a negative
  scale negates the sum beside it); ``term = rounding_shift(sum * M, B-1-F)``. A ratio below ``2^-B`` becomes 0: its segment adds
  nothing.
* ``shift[:F[:rounding]]``: ratios are powers of two, ``2^e``; ``term = sum * 2^(F+e)``, exact where ``F + e >= 0``, else rounded.
* ``float32``: the accumulator is a float32 register, ``acc = f32(acc + f32(f32(sum) * f32(ifmap scale * weight scale)))``, as
  kernels for grouped weights on graphics processors do. There is no overflow rule and no unit: the result is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.rounding import Rounding
from hwsim.units import FLOAT32_BITS

MULTIPLIER_BITS, FRACTION_BITS = 16, 8
MULTIPLIER_RANGE, FRACTION_RANGE = (2, 32), (0, 31)
EXPONENT_BITS = 8


class ScalerKind(StrEnum):
    """What rescales a partial sum."""

    FIXED_POINT = "fixed_point"
    SHIFT = "shift"
    FLOAT32 = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentScaling:
    """The scaler between the array and the accumulator. Keys beside the kind are None where it does not read them.

    Args:
        kind: see the module.
        multiplier_bits: width of the multiplier, 2..32.
        fraction_bits: places of the accumulator behind the point of its unit, 0..31.
        rounding: of a term.

    Raises:
        HwsimError: a number out of range.

    >>> str(SegmentScaling()), str(SegmentScaling.parse("shift:4")), str(SegmentScaling.parse("float32"))
    ('fixed_point:16:8:half_up', 'shift:4:half_up', 'float32')
    """

    kind: ScalerKind = ScalerKind.FIXED_POINT
    multiplier_bits: int | None = None
    fraction_bits: int | None = None
    rounding: Rounding | None = None

    def __post_init__(self) -> None:
        defaults = {"multiplier_bits": MULTIPLIER_BITS, "fraction_bits": FRACTION_BITS, "rounding": Rounding.HALF_UP}
        ranges = {"multiplier_bits": MULTIPLIER_RANGE, "fraction_bits": FRACTION_RANGE}
        for key, default in defaults.items():
            value = getattr(self, key)
            if key not in _READS[self.kind]:
                if value is not None:
                    raise HwsimError(f"segment_scaling: {key} = {value} is stated, but {self.kind} does not read it")
            elif value is None:
                object.__setattr__(self, key, default)
            elif key in ranges and not ranges[key][0] <= value <= ranges[key][1]:
                raise HwsimError(f"segment_scaling: {key} must be {ranges[key][0]}..{ranges[key][1]}, not {value}")

    @classmethod
    def parse(cls, text: str) -> SegmentScaling:
        """Read ``fixed_point[:B[:F[:rounding]]]``, ``shift[:F[:rounding]]`` or ``float32``."""
        head, *words = text.strip().split(":")
        if head not in list(ScalerKind):
            raise HwsimError(f"segment_scaling: {head!r} is unknown{did_you_mean(head, list(ScalerKind))}")
        kind = ScalerKind(head)
        keys = _READS[kind]
        if len(words) > len(keys):
            raise HwsimError(f"segment_scaling: {text!r} has more parts than {kind} reads: {', '.join(keys) or 'none'}")
        stated: dict[str, Any] = {key: _value(key, word, text) for key, word in zip(keys, words, strict=False)}
        return cls(kind=kind, **stated)

    @property
    def is_real(self) -> bool:
        """Whether the accumulator is a float32 register."""
        return self.kind is ScalerKind.FLOAT32

    @property
    def fraction(self) -> int:
        """Places of the accumulator behind the point; 0 where it is real."""
        return self.fraction_bits or 0

    @property
    def constant_bits(self) -> int:
        """Stored bits of one segment's constant in one column: multiplier, exponent of two, or float32 scale."""
        stored = {ScalerKind.SHIFT: EXPONENT_BITS, ScalerKind.FLOAT32: FLOAT32_BITS}
        return stored.get(self.kind, self.multiplier_bits or 0)

    def constants(self, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return multiplier and shift as int64 of the shape of ``ratio``: ``term = rounding_shift(sum * multiplier, shift)``.

        Args:
            ratio: float64, scale of the segment over the unit of the column, -1 to 1.

        Raises:
            HwsimError: a real accumulator, which has no constants of integers; a ratio that is no power of two where the
                scaler only shifts.

        >>> [array.tolist() for array in SegmentScaling.parse("fixed_point:8:4").constants(np.array([1.0, 0.3]))]
        [[128, 38], [3, 3]]
        >>> [array.tolist() for array in SegmentScaling.parse("shift:4").constants(np.array([1.0, 2.0**-6]))]
        [[1, 1], [-4, 2]]
        """
        if self.kind is ScalerKind.FIXED_POINT:
            places = (self.multiplier_bits or 0) - 1
            multiplier = np.rint(np.ldexp(ratio, places)).astype(np.int64)
            return multiplier, np.full(ratio.shape, places - self.fraction, np.int64)
        if self.kind is ScalerKind.SHIFT:
            fraction, exponent = np.frexp(ratio)
            wrong = np.abs(fraction) != 0.5
            if wrong.any():
                raise HwsimError(
                    f"segment_scaling: {self} needs scales whose ratios are powers of two, but one is {ratio[wrong][0]:.6g}; "
                    "quantize with power-of-two scales, or give the machine segment_scaling = fixed_point"
                )
            return np.sign(ratio).astype(np.int64), -(exponent.astype(np.int64) - 1 + self.fraction)
        raise HwsimError(f"segment_scaling: {self} multiplies by real scales; it has no integer constants")

    def __str__(self) -> str:
        return ":".join([self.kind, *(str(getattr(self, key)) for key in _READS[self.kind])])


_READS: dict[ScalerKind, tuple[str, ...]] = {
    ScalerKind.FIXED_POINT: ("multiplier_bits", "fraction_bits", "rounding"),
    ScalerKind.SHIFT: ("fraction_bits", "rounding"),
    ScalerKind.FLOAT32: (),
}


def _value(key: str, word: str, text: str) -> int | Rounding:
    if key == "rounding":
        if word not in list(Rounding):
            raise HwsimError(
                f"segment_scaling: {text!r}: rounding {word!r} is unknown{did_you_mean(word, list(Rounding))}"
            )
        return Rounding(word)
    if not (word.isascii() and word.isdigit()):
        raise HwsimError(f"segment_scaling: {text!r}: {key} must be a whole number, not {word!r}")
    return int(word)


def units(scales: np.ndarray, is_used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the accumulator's unit of each column and the ratio of each segment to it.

    A segment whose weights are all 0 in a column adds 0 by any ratio; it takes 1 there and has no say in the unit.

    Args:
        scales: float64 ``[segments, n]``: exact products of two float32 scales, not 0; a sign is kept.
        is_used: bool ``[segments, n]``: whether the segment has a weight other than 0 in the column.

    Returns:
        ``[n]`` and ``[segments, n]``, float64.

    >>> unit, ratio = units(np.array([[0.5], [2.0], [9.0]]), np.array([[True], [True], [False]]))
    >>> unit.tolist(), ratio.tolist()
    ([2.0], [[0.25], [1.0], [1.0]])
    """
    size = np.abs(scales)
    counted = np.where(is_used.any(axis=0), is_used, True)
    unit = np.where(counted, size, 0.0).max(axis=0)
    return unit, np.where(counted, scales / unit, 1.0)
