"""Matrix products on the array: Gemm and batched MatMul."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.execute.integer.array import array_product, requantized
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.prepared import prepared
from hwsim.kernels.gemm import plan_gemm


def gemm(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Gemm: codes ``[m, k]``, weight ``[k, n]``, bias of n values or one."""
    x, weight = operands[:2]

    def bias() -> np.ndarray | None:
        if not layer.has_input(2):
            return None
        return np.broadcast_to(operands[2].astype(np.int64).reshape(1, -1), (1, weight.shape[1]))

    return [_rows(layer, x, weight, bias)]


def matmul(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MatMul: a 2-D right operand meets all leading dimensions as one m; batched operands are groups; vectors as in numpy."""
    a, b = operands
    if a.ndim == 1:
        return [matmul(layer, [a[None, :], b])[0][..., 0, :]]
    if b.ndim == 1:
        return [matmul(layer, [a, b[:, None]])[0][..., 0]]
    if b.ndim == 2:
        rows, shape = a.reshape(-1, a.shape[-1]), (*a.shape[:-1], b.shape[-1])
        if layer.is_rescaled_by_position:
            return [requantized(layer, array_product(layer, rows[None], b[None], None).reshape(shape))]
        return [_rows(layer, rows, b, lambda: None).reshape(shape)]
    leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = np.broadcast_to(a, (*leading, *a.shape[-2:])).reshape(-1, *a.shape[-2:])
    right = np.broadcast_to(b, (*leading, *b.shape[-2:])).reshape(-1, *b.shape[-2:])
    sums = array_product(layer, left, right, None)
    return [requantized(layer, sums.reshape(*leading, a.shape[-2], b.shape[-1]))]


def _rows(layer: Layer, x: np.ndarray, weight: np.ndarray, bias: Callable[[], np.ndarray | None]) -> np.ndarray:
    """Return the codes of ``x [m, k]`` by one ``weight [k, n]``."""
    proven = prepared(layer, weight, bias, 1)
    if proven is not None:
        return proven.run(layer, x, lambda ready: plan_gemm(x.shape, x.dtype, ready.packed, ready.epilogue))
    return requantized(layer, array_product(layer, x[None], weight[None], bias())[0])


OPERATORS = {"Gemm": gemm, "MatMul": matmul}
