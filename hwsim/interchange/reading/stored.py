"""Constants as files store them: which arrays hold codes, and the grid on which a code stands for itself."""

from __future__ import annotations

import re

import numpy as np

from hwsim.numerics.formats import Format, IntFormat, parse_format
from hwsim.numerics.quant_params import QuantParams

_INTEGER = re.compile(r"(u?)int(2|4|8|16|32)")
_FLOATS = {
    "float8_e4m3fn": "fp8e4m3fn", "float8_e4m3fnuz": "fp8e4m3fnuz", "float8_e5m2": "fp8e5m2",
    "float8_e5m2fnuz": "fp8e5m2fnuz", "float8_e8m0fnu": "e8m0", "float6_e2m3fn": "fp6e2m3", "float6_e3m2fn": "fp6e3m2",
    "float4_e2m1fn": "fp4e2m1",
}  # fmt: skip


def format_of_array(array: np.ndarray) -> Format | None:
    """Return the format of an array of codes by its type, or None where it holds none (float32, int64, bool, ...).

    Types narrower than 8 bits and of 8-bit floating point are those of ml_dtypes.

    >>> str(format_of_array(np.zeros(1, np.uint8))), format_of_array(np.zeros(1, np.int64))
    ('uint8', None)
    """
    name = array.dtype.name
    match = _INTEGER.fullmatch(name)
    if match:
        return IntFormat(bits=int(match[2]), signed=not match[1])
    return parse_format(_FLOATS[name]) if name in _FLOATS else None


def codes_of(array: np.ndarray, number: Format) -> np.ndarray:
    """Return a stored array as codes: floating-point types by their bits, packed integers one to an element."""
    if isinstance(number, IntFormat) or array.dtype == number.storage_dtype:
        return array.astype(number.storage_dtype, copy=False)
    return array.view(number.storage_dtype)


def raw_grid(number: Format) -> QuantParams:
    """Return the grid on which a code stands for itself: scale 1, zero point 0."""
    return QuantParams(format=number, scale=(1.0,))
