"""QLinearSoftmax: a table of 256 exponentials in float32, a sum in order, a division each.

The table is built for the largest code: its last entry is ``exp(b * sx)``, with ``b`` so large that a sum of ``n`` of them just
fits float32. ``y = clamp(rint(f32(f32(e * Y) / sum)) + zy)`` with ``Y = floor(f32(1 / sy))``.
Source: ``onnxruntime/contrib_ops/cpu/quantization/qlinear_softmax.cc``.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.errors import HwsimError

TABLE = 256
RESERVE = 5.0


def exponentials(scale: float, length: int) -> np.ndarray:
    """Return float32 ``[256]``: the exponential of ``maximum - 255 .. maximum``, scaled for a sum of ``length``.

    Args:
        scale: of the input.
        length: elements of a row.
    """
    step = float(np.float32(scale))
    room = math.log(float(np.finfo(np.float32).max / np.float32(length)))
    top = max(0.0, room - RESERVE) / step
    return np.array([math.exp((index - (TABLE - 1) + top) * step) for index in range(TABLE)]).astype(np.float32)


def softmax_codes(codes: np.ndarray, table: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Return the codes of every row before they are clamped, int64 ``[rows, n]``.

    Args:
        codes: 8-bit codes ``[rows, n]``; their zero point cancels.
        table: see ``exponentials``.
        scale: of the result.
        zero_point: of the result.

    Raises:
        HwsimError: a result scale so small that the products leave float32; the runtime's result is then undefined.
    """
    inverse = np.float32(math.floor(np.float32(1) / np.float32(scale)))
    if float(inverse) * float(table[-1]) > float(np.finfo(np.float32).max):
        raise HwsimError(
            f"QLinearSoftmax: a result scale of {scale:g} makes exponentials leave float32; quantize the result of the "
            "softmax with a scale of 1/256 or more"
        )
    wide = codes.astype(np.int64)
    terms = table[wide - wide.max(axis=1, keepdims=True) + (TABLE - 1)]
    sums = np.cumsum(terms, axis=1, dtype=np.float32)[:, -1:]  # one after the other, unlike np.sum
    return np.rint(terms * inverse / sums).astype(np.int64) + zero_point
