"""A multiplier that is a function of the user on operands too wide for a table: compiled, called for every product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core.errors import NumbaError

from hwsim.errors import ExecutionError
from hwsim.kernels.accumulate import Ordered
from hwsim.kernels.products.base import Order, Products, ordered_by_rows
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.multiplier import TABLE_ENTRIES, Multiplier


def compiled(multiplier: Multiplier, activation: IntFormat, weight: IntFormat) -> Any:
    """Return the multiplier's function as a numpy function on int64, checked against itself uncompiled.

    Raises:
        ExecutionError: numba cannot compile it, or compiled to 64 bits it gives other products.
    """
    function = getattr(multiplier.function, "py_func", multiplier.function)
    where = f"multiplier {multiplier.text!r} on {activation} x {weight}"
    pairs = [(x, w) for x in _corners(activation) for w in _corners(weight)]
    expected = [multiplier.product(x, w, activation, weight) for x, w in pairs]
    try:
        product = numba.vectorize(["int64(int64, int64)"], nopython=True)(function)
    except NumbaError as error:
        reason = str(error).strip().splitlines()[0]
        raise ExecutionError(
            f"{where}: operands of more than {TABLE_ENTRIES} pairs need a function that numba compiles, but: {reason}; "
            f"write it with integer arithmetic only, or quantize to narrower formats"
        ) from None
    for (x, w), wanted in zip(pairs, expected, strict=True):
        if (got := int(product(x, w))) != wanted:
            raise ExecutionError(
                f"{where}: the product of ({x}, {w}) is {wanted}, but {got} in 64-bit arithmetic; keep every "
                f"intermediate value within 64 bits"
            )
    return product


def _corners(number: IntFormat) -> list[int]:
    middle = (number.minimum + number.maximum) // 2
    near = (number.minimum, number.minimum + 1, -3, -1, 0, 1, 2, 3, 100, middle, number.maximum - 1, number.maximum)
    return sorted({code for code in near if number.contains(code)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionProducts(Products):
    """Calls the user's function. Nothing is known of its products before they are computed.

    Args:
        product: numpy function of two int64 arrays.
    """

    product: Any

    def ordered(
        self, a: np.ndarray, w: np.ndarray, order: Order, start: np.ndarray, todo: np.ndarray | None = None
    ) -> Ordered:
        """Write the products out, a few rows at a time, and accumulate them."""

        def expand(part: np.ndarray, weights: np.ndarray) -> np.ndarray:
            return np.asarray(self.product(part.astype(np.int64)[:, :, None], weights.astype(np.int64)))

        return ordered_by_rows(expand, a, w, order, start, todo)
