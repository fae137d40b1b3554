"""QLinearAdd: ``y = clamp(rint(fma(a, rA, fma(b, rB, F))))`` on raw codes; the zero points are all in ``F``.

``rA = f32(sa / sy)``, ``rB = f32(sb / sy)``, ``F = f32(zy - f32(f32(rA * za) + f32(rB * zb)))``. An operand that is one value
for a whole row is folded: ``F' = f32(F + f32(b * rB))``, ``y = clamp(rint(fma(a, rA, F')))``.
Source: ``onnxruntime/core/mlas/lib/intrinsics/avx2/qladd_avx2.cpp``, ``contrib_ops/cpu/qlinear_binary_op.cc``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.vector._float32 import fma_one
from hwsim.numerics.vector.onnxruntime.rounding import code_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AddConstants:
    """What QLinearAdd holds.

    Args:
        ratios: scale of either input over scale of the output.
        fixed: the share of all zero points.
    """

    ratios: tuple[np.float32, np.float32]
    fixed: np.float32


def add_constants(scales: tuple[float, float, float], zero_points: tuple[int, int, int]) -> AddConstants:
    """Return the constants for the grids of ``a``, ``b`` and the result.

    Raises:
        HwsimError: a ratio of scales beyond float32.
    """
    a, b, y = (np.float32(scale) for scale in scales)
    zero_a, zero_b, zero_y = (np.float32(zero_point) for zero_point in zero_points)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio_a, ratio_b = a / y, b / y
        fixed = zero_y - (ratio_a * zero_a + ratio_b * zero_b)
    if not np.isfinite([ratio_a, ratio_b, fixed]).all():
        raise HwsimError(f"QLinearAdd: the scales {scales} give ratios beyond float32; check the grids of the sum")
    return AddConstants(ratios=(ratio_a, ratio_b), fixed=fixed)


def folded_operand(a: tuple[int, ...], b: tuple[int, ...]) -> int | None:
    """Return which operand of these shapes is one value along the innermost dimension: 0, 1 or None.

    The runtime walks the dimensions that both shapes have, from the last on, to the first whose size is not 1 in the result;
    where there is none, the first operand counts as the single value.

    >>> folded_operand((1, 8, 4, 4), (8, 1, 1)), folded_operand((2, 8), (8,)), folded_operand((3, 1), ())
    (1, None, 0)
    """
    for size_a, size_b in zip(reversed(a or (1,)), reversed(b or (1,)), strict=False):
        if max(size_a, size_b) > 1:
            return 0 if size_a == 1 else 1 if size_b == 1 else None
    return 0


def add_one(a: int, b: int, constants: AddConstants, folded: int | None, low: int, high: int) -> int:
    """Return the code of ``a + b``.

    Args:
        a: raw code of the first operand.
        b: raw code of the second operand.
        constants: see ``add_constants``.
        folded: the operand that is folded into the constant, see ``folded_operand``.
        low: smallest code.
        high: largest code.

    >>> halves = add_constants((0.5, 0.5, 1.0), (0, 0, 0))
    >>> [add_one(a, 0, halves, None, 0, 255) for a in (1, 3, 5)]
    [0, 2, 2]
    """
    ratio_a, ratio_b = constants.ratios
    if folded == 0:
        total = fma_one(b, ratio_b, constants.fixed + np.float32(a) * ratio_a)
    elif folded == 1:
        total = fma_one(a, ratio_a, constants.fixed + np.float32(b) * ratio_b)
    else:
        total = fma_one(a, ratio_a, fma_one(b, ratio_b, constants.fixed))
    return code_of(total, low, high)
