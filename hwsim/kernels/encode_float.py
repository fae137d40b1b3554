"""Real numbers to the codes of a floating-point format; the fast twin of ``FloatFormat.encode_real`` on float32."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.numerics.formats.floating import FloatFormat, Specials

MANTISSA_BITS, BIAS, FINEST = 23, 127, -149  # of float32


class Cast(NamedTuple):
    """A format as ``_encode`` reads it.

    Args:
        drop: mantissa bits that float32 has more.
        shift: by which a code of float32 without those bits exceeds the format's.
        smallest: float32 bits of the smallest normal number.
        steps: per real unit, of subnormal numbers.
        top, out, nan: codes of the largest number, of what lies beyond, and of NaN.
        sign: the sign bit.
    """

    drop: int
    shift: int
    smallest: int
    steps: float
    top: int
    out: int
    nan: int
    sign: int


@kernel
def _encode(real: Any, scale: Any, rule: Any, codes: Any) -> None:
    """``codes = real / scale`` to the nearest number, halves to even."""
    for i in range(len(real)):
        x = real[i] / scale
        bits = np.int64(np.float32(x).view(np.int32))
        size = bits & 0x7FFFFFFF
        if x != x:
            code = rule.nan
        elif size < rule.smallest:
            code = np.int64(np.rint(np.float64(abs(x)) * rule.steps))
        else:
            odd = (size >> rule.drop) & 1
            code = ((size + (1 << (rule.drop - 1)) - 1 + odd) >> rule.drop) - rule.shift
        if code > rule.top and x == x:
            code = rule.out
        codes[i] = code | rule.sign if bits < 0 else code


def takes(number: FloatFormat) -> bool:
    """Whether ``encode_float`` knows the format: one with NaN and signed zeros, whose numbers float32 holds with bits to spare."""
    return (
        number.specials in (Specials.IEEE, Specials.FN)
        and number.signed
        and number.subnormals
        and number.mantissa_bits < MANTISSA_BITS
        and number.finest > FINEST
        and number.largest_exponent <= BIAS
    )


def encode_float(number: FloatFormat, real: np.ndarray, scale: np.float32, *, saturate: bool) -> np.ndarray:
    """Return ``number.encode_real(real / scale)`` of contiguous float32 ``real`` of one dimension, the division in float32."""
    ends = number.encode_real(np.array([np.inf, np.nan]), saturate=saturate)
    drop = MANTISSA_BITS - number.mantissa_bits
    smallest = np.float32(2.0 ** (number.finest + number.mantissa_bits))
    rule = Cast(
        drop=drop,
        shift=(BIAS - number.exponent_bias) << number.mantissa_bits,
        smallest=int(smallest.view(np.int32)),
        steps=2.0**-number.finest,
        top=number.largest_code,
        out=int(ends[0]),
        nan=int(ends[1]),
        sign=1 << (number.bits - 1),
    )
    codes = np.empty(real.size, number.storage_dtype)
    _encode(real, scale, rule, codes)
    return codes
