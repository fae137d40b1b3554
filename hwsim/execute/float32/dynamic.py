"""Grids from a tensor's own range, found at run time: DynamicQuantizeLinear of ONNX, and one scale per token or image."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node
from hwsim.numerics.formats import IntFormat

LARGEST = np.float32(255)


def dynamic_quantize(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Return codes 0 to 255, scale and zero point; all are float32 and the first and last hold integers.

    ``s = f32((max - min) / 255)`` over a range that holds 0, ``z = rne(clip(f32(0 - min / s), 0, 255))`` and
    ``y = sat(rne(x / s) + z)`` (ONNX DynamicQuantizeLinear). A tensor of zeros, which the text leaves open, has the scale
    1 as in ONNX Runtime (``GetQuantizationParameter`` of ``core/util/qmath.h``), and so has one whose range is so small that
    the division gives 0.
    """
    x = inputs[0].astype(np.float32, copy=False)
    low, high = np.minimum(x.min(), np.float32(0)), np.maximum(x.max(), np.float32(0))
    scale = (high - low) / LARGEST or np.float32(1)
    zero_point = np.rint(np.clip(np.float32(0) - low / scale, np.float32(0), LARGEST))
    codes = np.clip(np.rint(x / scale) + zero_point, np.float32(0), LARGEST)
    return [codes, np.asarray(scale, dtype=np.float32), np.asarray(zero_point, dtype=np.float32)]


def dynamic_scale(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """DynamicQuantize: ``x / s`` before any rounding, and ``s = f32(max|x| / maximum)`` over the dimensions from ``axis`` on.

    The codes are the first result on its grid of scale 1: rounded half to even, clamped. A slice of zeros has the scale 1, and so
    has one whose range is so small that the division gives 0. Yao et al. 2022 (ZeroQuant, arXiv 2206.01861, section 4.1)
    take a token, the last dimension.
    """
    x = inputs[0].astype(np.float32, copy=False)
    axes = tuple(range(node.attributes["axis"], x.ndim))
    largest = np.abs(x).max(axis=axes, keepdims=True, initial=np.float32(0))
    scale = largest / np.float32(IntFormat.parse(node.attributes["format"]).maximum)
    scale = np.where(scale > 0, scale, np.float32(1)).astype(np.float32)
    return [x / scale, scale]


def rescale(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Rescale: ``f32(f32(x * scale) + bias)``; both broadcast."""
    scaled = inputs[0] * inputs[1]
    return [scaled + inputs[2] if len(inputs) > 2 else scaled]


OPERATORS = {"DynamicQuantizeLinear": dynamic_quantize, "DynamicQuantize": dynamic_scale, "Rescale": rescale}
