"""Operators on codes: QuantizeLinear and DequantizeLinear, ONNX's QLinear and Integer operators, those of com.microsoft."""

from __future__ import annotations

from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.quantized import (
    cast,
    dynamic,
    elementwise,
    integer,
    linear,
    low_bit,
    pooling,
    product,
)
from hwsim.interchange.onnx.normalize.quantized.moves import OF_CODES

NORMALIZERS: dict[str, Normalizer] = {
    **cast.NORMALIZERS,
    **dynamic.NORMALIZERS,
    **linear.NORMALIZERS,
    **low_bit.NORMALIZERS,
    **product.NORMALIZERS,
    **integer.NORMALIZERS,
    **elementwise.NORMALIZERS,
    **pooling.NORMALIZERS,
}

__all__ = ["NORMALIZERS", "OF_CODES"]
