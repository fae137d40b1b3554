"""From ONNX's forms of every operator set to the normalized rows of OPS, one function for each ONNX operator."""

from __future__ import annotations

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
    reduction,
    reshaping,
    resize,
)
from hwsim.interchange.onnx.normalize.common import Normalizer

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
}

__all__ = ["NORMALIZERS"]
