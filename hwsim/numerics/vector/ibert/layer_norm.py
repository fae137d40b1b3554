"""i-sqrt and i-LayerNorm (algorithm 4): Newton's integer square root, one division, an integer weight and bias.

Codes are moved so that the sum of squares of a row fits 32 bits. ``mean`` is rounded (halves up), ``s = isqrt(sum of squares)``
is the standard deviation times ``sqrt(n)``, ``factor = floor(2^31 / s)``; ``(y * factor) >> 16`` is the normalized value in
16 bits. The weight has 16 bits, the bias 32. The paper folds the weight into the real scale and divides the bias by it,
which a weight of 0 forbids; its epsilon is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hwsim.numerics.vector.ibert.polynomial import LARGEST, moved

FACTOR_BITS = 31
DROPPED_BITS = 16
WEIGHT_LIMIT = (1 << 15) - 1
BIAS_LIMIT = 1 << 30


def integer_sqrt(values: np.ndarray) -> np.ndarray:
    """Return ``floor(sqrt(values))`` of integers from 0 on, int64.

    Newton's iteration from ``2^ceil(bits / 2)`` down; it ends where a step does not lower the estimate any more.

    >>> integer_sqrt(np.array([0, 1, 15, 16, 2**31 - 1])).tolist()
    [0, 1, 3, 4, 46340]
    """
    wide = np.asarray(values, np.int64)
    bits = np.frexp(wide.astype(np.float64))[1].astype(np.int64)
    root = np.left_shift(np.int64(1), (bits + 1) // 2)
    while True:
        after = (root + wide // root) >> 1
        lower = (after < root) & (wide > 0)
        if not lower.any():
            return np.where(wide == 0, 0, root)
        root = np.where(lower, after, root)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affine:
    """Integer weight and bias of a LayerNorm.

    Args:
        weight: int64 ``[n]``, at most 16 bits.
        bias: int64 ``[n]``, at most 31 bits.
        scale: real value of 1 of ``normalized * weight + bias``.
    """

    weight: np.ndarray
    bias: np.ndarray
    scale: float

    @classmethod
    def of(cls, weight: np.ndarray, bias: np.ndarray | None) -> Affine:
        """Return the integers for real weights ``[n]`` and biases ``[n]``, each rounded half to even.

        The weight's step is its largest magnitude over 32767, wider where the bias needs it.
        """
        real = np.asarray(weight, np.float64).reshape(-1)
        offset = np.zeros_like(real) if bias is None else np.asarray(bias, np.float64).reshape(-1)
        unit = math.sqrt(real.size) * 2.0 ** (DROPPED_BITS - FACTOR_BITS)
        step = max(float(np.abs(real).max()) / WEIGHT_LIMIT, float(np.abs(offset).max()) / (unit * BIAS_LIMIT))
        step = step or 1.0  # all zero
        return cls(
            weight=np.rint(real / step).astype(np.int64),
            bias=np.rint(offset / (step * unit)).astype(np.int64),
            scale=step * unit,
        )


def integer_layer_norm(codes: np.ndarray, span: int, affine: Affine) -> np.ndarray:
    """Return ``normalized * weight + bias`` of every row, int64 ``[rows, n]`` of scale ``affine.scale``.

    Args:
        codes: integers ``[rows, n]``; a zero point and the scale cancel.
        span: difference of the largest and the smallest code of this grid.
        affine: see ``Affine.of``.

    >>> even = Affine.of(np.ones(4), None)
    >>> (integer_layer_norm(np.array([[-3, -1, 1, 3]]), 255, even) * even.scale).round(3).tolist()
    [[-1.343, -0.448, 0.448, 1.343]]
    """
    n = codes.shape[1]
    places = math.floor(math.log2(LARGEST / (n * span * span)) / 2)
    wide = moved(codes, places)
    mean = (2 * wide.sum(axis=1, keepdims=True) + n) // (2 * n)
    centred = wide - mean
    root = integer_sqrt((centred * centred).sum(axis=1, keepdims=True))
    factor = np.minimum((1 << FACTOR_BITS) // np.maximum(root, 1), LARGEST)
    normalized = (centred * factor) >> DROPPED_BITS
    return np.asarray(normalized * affine.weight + affine.bias)
