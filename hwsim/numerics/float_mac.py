"""A floating-point multiply-accumulate: which numbers are rounded, when, and to what. Definition on exact fractions.

* An operand is rounded once to the operand format, half to even, on its way in.
* A product is exact; it joins the partial sum in one rounding to the format of sums (a fused multiply-add). Of fp16 by
  fp16 into fp32 the exact product is an fp32 number, so that rounding it first would change nothing.
* A partial sum starts every fold at +0 and meets its products in ascending order. The sums of the folds are added in order
  to the accumulator, which starts at +0 or at a bias; every addition is rounded. A bias that comes at the end is one more.
* Rounding is half to even. Subnormal numbers are kept. What lies beyond the largest number becomes infinity, NaN in a format
  without infinity, the largest number in one without either. NaN stays NaN; zeros are signed as IEEE 754 signs them.

The fast twin is ``hwsim.kernels.float_mac``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import copysign, inf, isfinite, isnan, nan

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats.floating import FloatFormat, Specials

FINEST, MANTISSA_BITS, LARGEST = -149, 23, float(np.finfo(np.float32).max)  # of float32


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatMac:
    """The formats of a floating-point multiply-accumulate.

    Args:
        operand: in which both factors enter.
        total: of partial sums, accumulators and the bias.

    Raises:
        HwsimError: a format without a sign or subnormal numbers, or with numbers that float32 does not hold; a ``total`` of
            fewer exponent or mantissa bits than ``operand``.
    """

    operand: FloatFormat
    total: FloatFormat

    def __post_init__(self) -> None:
        for number in (self.operand, self.total):
            holds = number.mantissa_bits <= MANTISSA_BITS and number.finest >= FINEST and number.maximum <= LARGEST
            if not (holds and number.signed and number.subnormals):
                raise HwsimError(
                    f"float mac: {number} must be signed, with subnormal numbers, and every number one of fp32; "
                    "write for example fp16, bf16, fp8e4m3fn or fp32"
                )
        bits = [(number.exponent_bits, number.mantissa_bits) for number in (self.operand, self.total)]
        if any(total < operand for operand, total in zip(*bits, strict=True)):
            raise HwsimError(
                f"float mac: sums in {self.total} must have the exponent and mantissa bits of {self.operand} at least"
            )


def cast(number: FloatFormat, real: np.ndarray) -> np.ndarray:
    """Return ``real`` (float64 or float32) rounded once to the format, as float32, which holds its numbers exactly."""
    return number.decode(number.encode_real(real, saturate=False)).astype(np.float32)


def beyond(number: FloatFormat) -> float:
    """Return what a number too large for the format becomes.

    >>> [beyond(FloatFormat.parse(text)) for text in ("fp16", "fp8e4m3fn", "fp6e2m3")]
    [inf, nan, 7.5]
    """
    if number.specials is Specials.IEEE:
        return inf
    return number.maximum if number.specials is Specials.FINITE else nan


def rounded(number: FloatFormat, exact: Fraction) -> float:
    """Return the number of the format nearest to ``exact``, which is not 0; halves to even.

    >>> fp16 = FloatFormat.parse("fp16")
    >>> rounded(fp16, Fraction(2049)), rounded(fp16, Fraction(2051)), rounded(fp16, Fraction(65520))
    (2048.0, 2052.0, inf)
    """
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent
    step = Fraction(2) ** max(exponent - number.mantissa_bits, number.finest)
    nearest = round(size / step) * step
    value = beyond(number) if nearest > Fraction(number.maximum) else float(nearest)
    return copysign(value, exact)


def fused(total: FloatFormat, a: float, w: float, psum: float) -> float:
    """Return ``a * w + psum`` rounded once to ``total``."""
    if not (isfinite(a) and isfinite(w) and isfinite(psum)):
        sent = a * w + psum  # float64: infinity and NaN as IEEE 754 combines them
        return sent if isnan(sent) else copysign(beyond(total), sent)
    exact = Fraction(a) * Fraction(w) + Fraction(psum)
    if exact == 0:
        return copysign(0.0, a) * copysign(1.0, w) + psum if a * w == 0 else 0.0
    return rounded(total, exact)


def accumulate(
    a: Sequence[float], w: Sequence[float], *, segments: Sequence[int], total: FloatFormat, start: float = 0.0
) -> float:
    """Return what the accumulator of one output holds; the slow twin of ``hwsim.kernels.float_mac.accumulate``.

    Args:
        a: activations, numbers of the operand format, in the array's order of k.
        w: weights, likewise.
        segments: lengths of the folds; they sum to the number of products.
        total: the format of sums.
        start: what the accumulator holds before the first fold, a number of ``total``.

    >>> fp16 = FloatFormat.parse("fp16")
    >>> [accumulate([1.0] * 3, [2048.0, 1.0, 1.0], segments=cut, total=fp16) for cut in ([3], [1, 2])]
    [2048.0, 2050.0]
    """
    if sum(segments) != len(a) or len(a) != len(w):
        raise HwsimError(f"accumulate: segments {list(segments)} must sum to the {len(a)} and {len(w)} operands")
    accumulator, position = start, 0
    for length in segments:
        psum = 0.0
        for k in range(position, position + length):
            psum = fused(total, a[k], w[k], psum)
        position += length
        accumulator = fused(total, psum, 1.0, accumulator)
    return accumulator
