"""Real numbers to the codes of a floating-point format and back, in float64, which holds every value exactly.

Codes without the sign count the values upwards: a number ``n * 2^q`` with ``2^m <= n < 2^(m+1)`` has the code
``(q - finest) * 2^m + n``, a subnormal one the code ``n``. So a mantissa that rounds up to ``2^(m+1)`` needs no care.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hwsim.numerics.rounding import Rounding, round_real

if TYPE_CHECKING:
    from hwsim.numerics.formats.floating import FloatFormat

TABLE_BITS = 16
SMALLEST = float(np.finfo(np.float64).smallest_subnormal)


def encode(number: FloatFormat, real: np.ndarray, rounding: Rounding, saturate: bool) -> np.ndarray:
    """Return the codes of ``real``; see ``FloatFormat.encode_real``."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        values = np.atleast_1d(real).astype(np.float64)
    negative, is_nan, infinite = np.signbit(values), np.isnan(values), np.isinf(values)
    sizes = _sizes(number, np.where(is_nan | infinite, 0.0, values), rounding)
    beyond = infinite | (sizes > number.largest_code)
    if not saturate:
        # a rounding towards zero does not leave the format (IEEE 754, 7.4)
        goes_out = infinite | ~_inwards(negative, rounding)
        leaves = beyond & goes_out
        if number.specials == "ieee":
            sizes[leaves] = number.top + 1
            beyond &= ~leaves
        elif number.specials != "finite":
            is_nan |= leaves
    sizes[beyond] = number.largest_code
    if not number.signed:
        is_nan |= (values < 0) | ((values == 0) & (not saturate))
        return np.where(is_nan, number.top + 1, sizes).astype(number.storage_dtype).reshape(np.shape(real))
    sign = 1 << (number.bits - 1)
    codes = sizes + negative * sign
    if number.specials == "fnuz":
        codes[codes == sign] = 0
        codes[is_nan] = sign
    elif number.specials == "finite":
        codes[is_nan] = ~negative[is_nan] * sign
    else:
        quiet = number.top + 1 + (_half(number) if number.specials == "ieee" else 0)
        codes[is_nan] = quiet + negative[is_nan] * sign
    return codes.astype(number.storage_dtype).reshape(np.shape(real))


def _half(number: FloatFormat) -> int:
    """Return the highest mantissa bit, which a quiet NaN sets."""
    return 1 << (number.mantissa_bits - 1)


def _inwards(negative: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Return where ``rounding`` only makes numbers smaller in magnitude."""
    if rounding is Rounding.FLOOR:
        return ~negative
    if rounding is Rounding.CEIL:
        return negative
    return np.full(negative.shape, rounding is Rounding.TO_ZERO)


def _sizes(number: FloatFormat, values: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Return the codes of finite numbers without their sign, int64, as if the exponent had no end."""
    places = number.mantissa_bits
    lowest = number.finest + places
    exponent = np.frexp(values)[1].astype(np.int64) - 1
    small = (exponent < lowest) | (values == 0)
    exponent[small] = lowest
    with np.errstate(under="ignore"):
        steps = np.ldexp(values, places - exponent)
    steps = np.where((steps == 0) & (values != 0), np.copysign(SMALLEST, values), steps)
    if not number.subnormals:
        steps[small] = np.ldexp(steps[small], -places)
    count = np.abs(round_real(steps, rounding)).astype(np.int64)
    if not number.subnormals:
        count[small] <<= places
    sizes = (exponent - lowest << places) + count
    return sizes if number.signed else np.maximum(sizes - 1, 0)


def decode(number: FloatFormat, codes: np.ndarray) -> np.ndarray:
    """Return the values of ``codes`` as float64; see ``FloatFormat.decode``."""
    if number.bits <= TABLE_BITS:
        return _table(number)[codes.astype(np.int64)]
    return _values(number, codes)


@lru_cache(maxsize=32)
def _table(number: FloatFormat) -> np.ndarray:
    table = _values(number, np.arange(1 << number.bits))
    table.setflags(write=False)
    return table


def _values(number: FloatFormat, codes: np.ndarray) -> np.ndarray:
    places, bits = number.mantissa_bits, number.exponent_bits + number.mantissa_bits
    whole = codes.astype(np.int64)
    size, negative = whole & ((1 << bits) - 1), whole >> bits & 1
    if not number.signed:
        return np.where(size > number.top, np.nan, np.ldexp(1.0, size + number.finest))
    field, mantissa = size >> places, size & ((1 << places) - 1)
    count = np.where(field > 0, mantissa + (1 << places), mantissa if number.subnormals else 0)
    values = np.ldexp(count.astype(np.float64), np.maximum(field - 1, 0) + number.finest)
    if number.specials == "ieee":
        values = np.where(size > number.top, np.where(mantissa == 0, np.inf, np.nan), values)
    elif number.specials == "fn":
        values = np.where(size > number.top, np.nan, values)
    values = np.where(negative == 1, -values, values)
    if number.specials == "fnuz":
        values = np.where(whole == 1 << bits, np.nan, values)
    return values
