"""The products of a multiplier for the operands of a layer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.products.base import Products
from hwsim.kernels.products.exact import ExactProducts
from hwsim.kernels.products.function import FunctionProducts, compiled
from hwsim.kernels.products.table import TableProducts
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.multiplier import Multiplier

KEPT = 8  # multipliers on pairs of formats: a network has a few


def products_of(
    multiplier: Multiplier, formats: tuple[IntFormat, IntFormat] | None, a_range: tuple[int, int]
) -> Products:
    """Return what computes the products of ``multiplier``.

    Args:
        multiplier: the machine's.
        formats: of the activations and the weights that enter it; only an exact one does not ask for them.
        a_range: smallest and largest value that the format lets an activation take.

    Raises:
        ExecutionError: formats missing, or a function that cannot be compiled where no table can hold it.
        HwsimError: formats wider than the multiplier's table.
    """
    if multiplier.is_exact:
        return ExactProducts(a_range=a_range)
    if formats is None:
        raise ExecutionError(
            f"multiplier {multiplier.text!r}: the formats of its operands must be stated; pass formats=(activation, weight)"
        )
    activation, weight = formats
    if not (activation.contains(a_range[0]) and activation.contains(a_range[1])):
        raise ExecutionError(
            f"multiplier {multiplier.text!r}: activations in {a_range[0]}..{a_range[1]} do not fit their format {activation}"
        )
    table = _table(multiplier, activation, weight)
    if table is not None:
        return TableProducts(table=table, activation=activation, weight=weight, a_range=a_range)
    return FunctionProducts(product=_compiled(multiplier, activation, weight))


@lru_cache(maxsize=KEPT)
def _table(multiplier: Multiplier, activation: IntFormat, weight: IntFormat) -> np.ndarray | None:
    return multiplier.table(activation, weight)


@lru_cache(maxsize=KEPT)
def _compiled(multiplier: Multiplier, activation: IntFormat, weight: IntFormat) -> Any:
    return compiled(multiplier, activation, weight)
