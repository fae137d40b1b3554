"""From ONNX's forms of every operator set to the normalized rows of OPS, one function for each ONNX operator."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize import (
    activation,
    convolution,
    cut,
    elementwise,
    identity,
    matrix,
    normalization,
    padding,
    pooling,
    quantized,
    reduction,
    reshaping,
    resize,
)
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.quantized import OF_CODES
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.qonnx.normalize import NORMALIZERS as QONNX
from hwsim.interchange.reading.draft import Draft

NORMALIZERS: dict[str, Normalizer] = {
    **convolution.NORMALIZERS,
    **matrix.NORMALIZERS,
    **pooling.NORMALIZERS,
    **reduction.NORMALIZERS,
    **elementwise.NORMALIZERS,
    **activation.NORMALIZERS,
    **normalization.NORMALIZERS,
    **resize.NORMALIZERS,
    **reshaping.NORMALIZERS,
    **cut.NORMALIZERS,
    **padding.NORMALIZERS,
    **identity.NORMALIZERS,
    **quantized.NORMALIZERS,
    **QONNX,
}

KEEP_CODES = frozenset({*quantized.NORMALIZERS, *QONNX, "Identity"}) - {"Cast", "CastLike"}
"""Operators whose normalizers read constants, so that their codes survive; all others are computed where all inputs are constant."""


def normalize(operator: Operator, draft: Draft) -> None:
    """Emit the nodes of one operator that has a normalizer; what moves integers gives integers.

    Raises:
        GraphError: the operator does not fit its operands, or computes with integers as such, which only moves and the
            operators of quantized models may.
    """
    integers = [
        name
        for index, name in enumerate(operator.inputs)
        if operator.means_codes(index) and name not in draft.constants
    ]
    if not integers or operator.op in quantized.NORMALIZERS:
        NORMALIZERS[operator.op](operator, draft)
        if operator.op == "Identity" and operator.means_codes(0):
            draft.code_names.update(operator.outputs)
        return
    if operator.op not in OF_CODES:
        raise GraphError(
            f"it computes with the integers of {integers[0]!r} as such, which is not supported; put DequantizeLinear before it"
        )
    OF_CODES[operator.op](operator, draft)
    draft.code_names.update(filter(None, operator.outputs))


__all__ = ["KEEP_CODES", "NORMALIZERS", "normalize"]
