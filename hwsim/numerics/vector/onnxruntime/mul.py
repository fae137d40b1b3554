"""QLinearMul: ``y = clamp(rint(f32(f32((a - za)(b - zb) * r) + zy)))`` with ``r = f32(f32(sa * sb) / sy)``.

Source: ``onnxruntime/core/mlas/lib/qlmul.cpp`` (SSE2); the product of two centred codes is exact in float32.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.vector.onnxruntime.rounding import code_of


def mul_ratio(scales: tuple[float, float, float]) -> np.float32:
    """Return ``f32(f32(sa * sb) / sy)`` for the scales of ``a``, ``b`` and the result.

    Raises:
        HwsimError: a ratio beyond float32.
    """
    a, b, y = (np.float32(scale) for scale in scales)
    with np.errstate(over="ignore", under="ignore"):
        ratio: np.float32 = a * b / y
    if not np.isfinite(ratio):
        raise HwsimError(f"QLinearMul: the scales {scales} give a ratio beyond float32; check the grids of the product")
    return ratio


def mul_one(a: int, b: int, ratio: np.float32, zero_point: int, low: int, high: int) -> int:
    """Return the code of the product of two centred 8-bit codes; ``zero_point`` is that of the result.

    >>> [mul_one(a, 1, np.float32(0.5), 1, 0, 255) for a in (1, 3)]
    [2, 2]
    """
    return code_of(np.float32(a * b) * ratio + np.float32(zero_point), low, high)
