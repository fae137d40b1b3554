"""ONNX element types that hold codes: integers of up to 32 bits and floating point of up to 8."""

from __future__ import annotations

import re

import numpy as np
import onnx
from onnx import helper

from hwsim.errors import GraphError
from hwsim.numerics.formats import Format, IntFormat, parse_format

_INTEGER = re.compile(r"(U?)INT(2|4|8|16|32)")
_FLOATS = {
    "FLOAT8E4M3FN": "fp8e4m3fn", "FLOAT8E4M3FNUZ": "fp8e4m3fnuz", "FLOAT8E5M2": "fp8e5m2", "FLOAT8E5M2FNUZ": "fp8e5m2fnuz",
    "FLOAT8E8M0": "e8m0", "FLOAT6E2M3": "fp6e2m3", "FLOAT6E3M2": "fp6e3m2", "FLOAT4E2M1": "fp4e2m1",
}  # fmt: skip
REALS = frozenset(
    {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE, onnx.TensorProto.BFLOAT16}
)


def format_of(element_type: int) -> Format | None:
    """Return the format of a ``TensorProto.DataType``, or None where it holds no codes (float32, int64, bool, ...).

    >>> str(format_of(onnx.TensorProto.UINT4)), format_of(onnx.TensorProto.INT64)
    ('uint4', None)
    """
    name = type_name(element_type).upper()
    match = _INTEGER.fullmatch(name)
    if match:
        return IntFormat(bits=int(match[2]), signed=not match[1])
    return parse_format(_FLOATS[name]) if name in _FLOATS else None


def element_type(number: Format) -> int:
    """Return the ``TensorProto.DataType`` of a format; raise GraphError where ONNX has none."""
    names = {text: name for name, text in _FLOATS.items()} | {
        f"{sign}int{bits}": f"{sign}int{bits}".upper() for sign in ("", "u") for bits in (2, 4, 8, 16, 32)
    }
    if str(number) not in names:
        raise GraphError(f"ONNX has no element type for {number} codes")
    return int(onnx.TensorProto.DataType.Value(names[str(number)]))


def type_name(element_type: int) -> str:
    """Return a ``TensorProto.DataType`` as people write it; a number for one that the installed onnx does not know."""
    known = {value: name for name, value in onnx.TensorProto.DataType.items()}
    return known.get(element_type, f"type {element_type}").lower()


def stored(codes: np.ndarray, element_type: int) -> np.ndarray:
    """Return codes as an array of the file's element type, the inverse of ``codes_of``."""
    dtype = helper.tensor_dtype_to_np_dtype(element_type)
    number = format_of(element_type)
    return codes.astype(dtype) if isinstance(number, IntFormat) else codes.view(dtype)
