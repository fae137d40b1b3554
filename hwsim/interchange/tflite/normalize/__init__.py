"""From the operators of TensorFlow Lite to the normalized rows of OPS, one function for each operator."""

from __future__ import annotations

from hwsim.interchange.tflite.normalize import (
    activation,
    convolution,
    cut,
    elementwise,
    joining,
    matrix,
    padding,
    pooling,
    reduction,
    reshaping,
    resize,
)
from hwsim.interchange.tflite.normalize.common import Normalizer

NORMALIZERS: dict[str, Normalizer] = {
    **convolution.NORMALIZERS,
    **matrix.NORMALIZERS,
    **pooling.NORMALIZERS,
    **reduction.NORMALIZERS,
    **elementwise.NORMALIZERS,
    **activation.NORMALIZERS,
    **resize.NORMALIZERS,
    **reshaping.NORMALIZERS,
    **cut.NORMALIZERS,
    **joining.NORMALIZERS,
    **padding.NORMALIZERS,
}

__all__ = ["NORMALIZERS"]
