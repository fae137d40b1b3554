"""DynamicQuantizeLinear: the grid of a tensor from its own range, step by step in float32 as ONNX Runtime computes it."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node

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


OPERATORS = {"DynamicQuantizeLinear": dynamic_quantize}
