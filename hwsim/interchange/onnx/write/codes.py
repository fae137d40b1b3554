"""Codes of a grid in ONNX's element types: which type holds a format, from which operator set on, and its bytes.

A width that ONNX lacks (int3, int6) is stored in a wider integer. Formats of fewer codes than their element type, these and
the narrow ones, need a Clip before QuantizeLinear that keeps the smaller range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwsim.errors import GraphError
from hwsim.graph import Tensor
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.quant_params import QuantParams

QUANTIZE_OPSET = 13  # axis
BLOCK_OPSET = 21
_INTEGERS = ((2, 25), (4, 21), (8, 13), (16, 21), (32, 13))  # bits of an element type, its first operator set
_FLOATS = {
    "fp8e4m3fn": ("FLOAT8E4M3FN", 19), "fp8e4m3fnuz": ("FLOAT8E4M3FNUZ", 19),
    "fp8e5m2": ("FLOAT8E5M2", 19), "fp8e5m2fnuz": ("FLOAT8E5M2FNUZ", 19),
    "fp4e2m1": ("FLOAT4E2M1", 23),
}  # fmt: skip
RESULT_BITS = 16  # QuantizeLinear writes no wider integer; DequantizeLinear reads int32


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementType:
    """How ONNX stores the codes of a format.

    Args:
        code: member of ``TensorProto.DataType``.
        bits: of one stored element.
        opset: the first operator set whose QuantizeLinear or DequantizeLinear has the type.
        held: the codes that the type can hold, ``(lowest, highest)``; None for floating-point types.
    """

    code: int
    bits: int
    opset: int
    held: tuple[int, int] | None


def result_type(grid: QuantParams, tensor: str, least_bits: int) -> ElementType | None:
    """Return the element type that QuantizeLinear computes for a grid, or None where it has none that is wide enough.

    Args:
        grid: of the tensor.
        tensor: its name, for errors.
        least_bits: of the integer types to choose from.

    Raises:
        GraphError: a format that is no integer and that ONNX lacks, or an ``onnx`` package that is too old for it.
    """
    if not isinstance(grid.format, IntFormat):
        return _floating(grid, tensor)
    found = _integer(grid.format.bits, grid.format.signed, tensor, least_bits)
    return None if found is None or found.bits > RESULT_BITS else found


def stored_type(tensor: Tensor, least_bits: int) -> ElementType:
    """Return the element type of a tensor's codes, which DequantizeLinear reads.

    Args:
        tensor: with a grid; codes of a constant that are wider than int32 may still fit into it.
        least_bits: of the integer types to choose from.

    Raises:
        GraphError: codes that no type of DequantizeLinear holds, or an ``onnx`` package that is too old for it.
    """
    assert tensor.quant is not None
    number = tensor.quant.format
    if not isinstance(number, IntFormat):
        return _floating(tensor.quant, tensor.name)
    found = _integer(number.bits, number.signed, tensor.name, least_bits)
    if found is not None:
        return found
    widest = _integer(RESULT_BITS * 2, True, tensor.name, least_bits)
    if widest is not None and widest.held is not None and tensor.is_constant:
        codes = tensor.encoded()
        if widest.held[0] <= codes.min(initial=0) and codes.max(initial=0) <= widest.held[1]:
            return widest
    raise GraphError(
        f"tensor {tensor.name!r}: ONNX dequantizes no {number} codes, and they do not fit int32, the widest; use a narrower "
        "format"
    )


def has_element_type(number: Format) -> bool:
    """Whether ONNX has a type of its own for a format that is no integer."""
    return str(number) in _FLOATS


def _integer(bits: int, signed: bool, tensor: str, least_bits: int) -> ElementType | None:
    found = next(((width, opset) for width, opset in _INTEGERS if width >= max(bits, least_bits)), None)
    if found is None or (found[0] > RESULT_BITS and not signed):
        return None
    width, opset = found
    held = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    return ElementType(code=_member(f"{'' if signed else 'U'}INT{width}", tensor), bits=width, opset=opset, held=held)


def _floating(grid: QuantParams, tensor: str) -> ElementType:
    if str(grid.format) not in _FLOATS:
        raise GraphError(
            f"tensor {tensor!r}: ONNX has no element type for the format {grid.format}; write the network as QONNX "
            "(--format qonnx), or quantize it to an integer format"
        )
    name, opset = _FLOATS[str(grid.format)]
    return ElementType(code=_member(name, tensor), bits=grid.format.bits, opset=opset, held=None)


def _member(name: str, tensor: str) -> int:
    member = getattr(TensorProto, name, None)
    if member is None:
        raise GraphError(
            f"tensor {tensor!r}: the installed onnx {onnx.__version__} has no type {name}; install a newer one"
        )
    return int(member)


def needs_clip(grid: QuantParams, element: ElementType) -> bool:
    """Whether the element type holds codes that the format lacks."""
    return element.held is not None and element.held != grid.format.operand_range


def code_tensor(codes: np.ndarray, element: ElementType) -> onnx.TensorProto:
    """Return stored codes; elements of less than a byte are packed, the first one into the low bits."""
    if element.bits >= 8 and element.held is not None:
        dtype = helper.tensor_dtype_to_np_dtype(element.code)
        return numpy_helper.from_array(np.asarray(codes.astype(dtype), order="C"))
    return helper.make_tensor("", element.code, codes.shape, packed(codes, element.bits).tobytes(), raw=True)


def packed(codes: np.ndarray, bits: int) -> np.ndarray:
    """Return the bytes of codes of 2, 4 or 8 bits, the first code in the low bits.

    >>> packed(np.array([1, -1, 7]), 4).tolist()
    [241, 7]
    """
    each = 8 // bits
    flat = codes.reshape(-1).astype(np.int64) & ((1 << bits) - 1)
    flat = np.concatenate([flat, np.zeros(-flat.size % each, dtype=np.int64)]).reshape(-1, each)
    shifted: np.ndarray = (flat << (bits * np.arange(each))).sum(axis=1)
    return shifted.astype(np.uint8)
