"""Fast twins of ``hwsim.numerics.vector.onnxruntime.add`` and ``mul``: 8-bit codes in, 8-bit codes out.

The multiply-add is LLVM's, which rounds once on every processor (an instruction where there is one, ``fmaf`` elsewhere).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from hwsim.kernels.cache import kernel
from hwsim.kernels.layout import flat, flat_views, memory_order, shown
from hwsim.kernels.requantize import Requantized
from hwsim.kernels.vector.lanes import LANES, add_lanes
from hwsim.numerics.vector.onnxruntime.add import AddConstants
from hwsim.numerics.vector.onnxruntime.rounding import INT32_TOP


def _fma_of(context: Any, a: Any, b: Any, c: Any) -> Any:
    """``f32(a * b + c)``, rounded once."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float32(types.float32, types.float32, types.float32), build


_fma: Any = intrinsic(_fma_of)


@kernel
def _add(a: Any, b: Any, ratio_a: Any, ratio_b: Any, fixed: Any, top: Any, low: Any, high: Any, codes: Any) -> Any:
    counts = np.zeros(2, np.int64)
    whole = a.size // LANES * LANES
    add_lanes(a, b, whole, ratio_a, ratio_b, fixed, top, low, high, codes, counts)
    below, above = counts
    for i in range(whole, a.size):
        value = _fma(np.float32(a[i]), ratio_a, _fma(np.float32(b[i]), ratio_b, fixed))
        rounded = np.rint(value if value < top else -top)
        below += rounded < low
        above += rounded > high
        codes[i] = np.int32(min(max(rounded, low), high))
    return below, above


@kernel
def _add_folded(
    a: Any, b: Any, ratio_a: Any, ratio_b: Any, fixed: Any, top: Any, low: Any, high: Any, codes: Any
) -> Any:
    """``b`` is the operand that is folded into the constant."""
    below, above = 0, 0
    for i in range(a.size):
        value = _fma(np.float32(a[i]), ratio_a, fixed + np.float32(b[i]) * ratio_b)
        rounded = np.rint(value if value < top else -top)
        below += rounded < low
        above += rounded > high
        codes[i] = np.int32(min(max(rounded, low), high))
    return below, above


@kernel
def _mul(
    a: Any, b: Any, ratio: Any, zero_a: Any, zero_b: Any, zero_y: Any, top: Any, low: Any, high: Any, codes: Any
) -> Any:
    below, above = 0, 0
    for i in range(a.size):
        product = np.float32(np.int32(np.int32(a[i]) - zero_a) * np.int32(np.int32(b[i]) - zero_b))
        value = product * ratio + zero_y
        rounded = np.rint(value if value < top else -top)
        below += rounded < low
        above += rounded > high
        codes[i] = np.int32(min(max(rounded, low), high))
    return below, above


def qlinear_add(
    a: np.ndarray, b: np.ndarray, constants: AddConstants, folded: int | None, low: int, high: int
) -> Requantized:
    """Return the codes of ``a + b``, of their common shape and of the type of ``a``.

    Args:
        a: raw 8-bit codes.
        b: raw 8-bit codes of the same type that broadcast against ``a``.
        constants: see ``add_constants``.
        folded: the operand folded into the constant, see ``folded_operand``.
        low: smallest code.
        high: largest code.
    """
    ratio_a, ratio_b = constants.ratios
    if folded == 0:
        a, b, ratio_a, ratio_b = b, a, ratio_b, ratio_a
    run = _add if folded is None else _add_folded
    (flat_a, flat_b), shape, order = _flat(a, b)
    codes = np.empty(flat_a.size, a.dtype)
    bounds = INT32_TOP, np.float32(low), np.float32(high)
    below, above = run(flat_a, flat_b, ratio_a, ratio_b, constants.fixed, *bounds, codes)
    return Requantized(codes=shown(codes, shape, order), clipped_low=int(below), clipped_high=int(above))


def bound_qlinear_add(
    a: np.ndarray, b: np.ndarray, constants: AddConstants, low: int, high: int, codes: np.ndarray
) -> Callable[[], tuple[int, int]] | None:
    """Return ``qlinear_add`` as a call that writes ``codes`` and returns how many were clipped below and above.

    None where the three do not lie alike in memory. No operand is folded into the constant; arguments as in ``qlinear_add``.
    """
    views = flat_views(a, b, codes)
    if views is None:
        return None
    flat_a, flat_b, written = views
    flat_a.flags.writeable = flat_b.flags.writeable = False  # as in ``_flat``
    bounds = INT32_TOP, np.float32(low), np.float32(high)
    return partial(_add, flat_a, flat_b, *constants.ratios, constants.fixed, *bounds, written)


def qlinear_mul(
    a: np.ndarray, b: np.ndarray, ratio: np.float32, zero_points: tuple[int, int, int], low: int, high: int
) -> Requantized:
    """Return the codes of ``a * b``, of their common shape and of the type of ``a``.

    Args:
        a: raw 8-bit codes.
        b: raw 8-bit codes of the same type that broadcast against ``a``.
        ratio: see ``mul_ratio``.
        zero_points: of ``a``, ``b`` and the result.
        low: smallest code.
        high: largest code.
    """
    zero_a, zero_b = (np.int32(zero_point) for zero_point in zero_points[:2])
    (flat_a, flat_b), shape, order = _flat(a, b)
    codes = np.empty(flat_a.size, a.dtype)
    bounds = INT32_TOP, np.float32(low), np.float32(high)
    below, above = _mul(flat_a, flat_b, ratio, zero_a, zero_b, np.float32(zero_points[2]), *bounds, codes)
    return Requantized(codes=shown(codes, shape, order), clipped_low=int(below), clipped_high=int(above))


def _flat(a: np.ndarray, b: np.ndarray) -> tuple[list[np.ndarray], tuple[int, ...], tuple[int, ...]]:
    """Return both operands of their common shape one-dimensional, that shape, and the order in which its axes were taken."""
    both: tuple[np.ndarray, ...] = (a, b)
    widest = a
    if a.shape != b.shape:
        both = np.broadcast_arrays(a, b)
        widest = max(both, key=lambda array: sum(map(bool, array.strides)))
    order = memory_order(widest)
    elements = [flat(array, order) for array in both]
    for array in elements:
        array.flags.writeable = False  # arrays that can be written are a type of their own to numba
    return elements, both[0].shape, order
