"""Where codes are kept: the smallest numpy type, and real numbers put into a range of integers."""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError

WIDTHS = (8, 16, 32, 64)


def integer_dtype(bits: int, *, signed: bool) -> np.dtype:
    """Return the smallest numpy integer type of ``bits`` or more bits, 1 to 64.

    >>> integer_dtype(4, signed=True), integer_dtype(9, signed=False)
    (dtype('int8'), dtype('uint16'))
    """
    width = next(width for width in WIDTHS if width >= bits)
    return np.dtype(f"{'int' if signed else 'uint'}{width}")


def clipped(whole: np.ndarray, low: int, high: int, dtype: np.dtype) -> np.ndarray:
    """Return whole numbers (float64) clipped to ``low..high`` as ``dtype``; NaN becomes ``low``.

    Bounds that float64 does not hold are put in as integers.
    """
    whole = np.asarray(whole)
    below, above = ~(whole > float(low)), whole >= float(high)
    codes = np.where(below | above, 0.0, whole).astype(dtype)
    codes[below] = low
    codes[above] = high
    return codes


def wrapped(whole: np.ndarray, bits: int, dtype: np.dtype) -> np.ndarray:
    """Return the lower ``bits`` bits of whole numbers (float64) as ``dtype``, two's complement where it is signed.

    Raises:
        HwsimError: infinity and NaN, which have no lower bits.
    """
    if not np.isfinite(whole).all():
        raise HwsimError(
            f"number format: infinity and NaN cannot wrap into {bits} bits; encode them with saturate=True"
        )
    rest = np.fmod(np.reshape(whole, -1), 2.0**bits)  # exact, with the sign of ``whole``
    negative = rest < 0
    codes = np.abs(rest).astype(np.uint64)
    codes = np.where(negative, ~codes + np.uint64(1), codes) & np.uint64((1 << bits) - 1)
    if dtype.kind == "i":
        places = np.uint64(64 - bits)
        codes = (codes << places).view(np.int64) >> places.astype(np.int64)
    return codes.astype(dtype).reshape(np.shape(whole))
