"""Accumulators to output codes: the fast twin of every ``requantize_one``, by the name of its scheme."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import Constants


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requantized:
    """Output codes and how many of them were clipped.

    Args:
        codes: ``[rows, n]``, int32, or int64 for formats that need it.
        clipped_low: outputs that lay below the smallest code.
        clipped_high: outputs that lay above the largest one.
    """

    codes: np.ndarray
    clipped_low: int
    clipped_high: int


def code_dtype(low: int, high: int) -> type[np.signedinteger]:
    """Return the type of codes in ``low..high``: int32 where it holds them, else int64."""
    return np.int32 if low >= -(1 << 31) and high < 1 << 31 else np.int64


def requantize(
    acc: np.ndarray, constants: Constants, unit: Requantizer, zero_point: int, low: int, high: int
) -> Requantized:
    """Return the codes of ``acc`` by the arithmetic of ``unit``, exactly its definition.

    Args:
        acc: integers ``[rows, n]``, one column per output channel.
        constants: multiplier and shift, ``[n]`` or ``[1]``.
        unit: the requantizer.
        zero_point: output zero point.
        low: smallest output code.
        high: largest output code.

    Raises:
        ExecutionError: shapes that do not fit one another.
    """
    if acc.ndim != 2 or constants.multiplier.shape[0] not in (1, acc.shape[1]):
        raise ExecutionError(
            f"requantize: accumulators {acc.shape} must be [rows, n] with n or 1 multipliers, "
            f"not {constants.multiplier.shape[0]}"
        )
    values = np.ascontiguousarray(acc, np.int64)
    multiplier = np.ascontiguousarray(np.broadcast_to(constants.multiplier, acc.shape[1:]))
    shift = np.ascontiguousarray(np.broadcast_to(constants.shift, acc.shape[1:]))
    module = f"hwsim.kernels.requantizers.{unit.scheme}"
    done = None
    if find_spec(module):
        done = import_module(module).requantize(values, multiplier, shift, unit, zero_point, low, high)
    codes, below, above = done or _one_by_one(values, multiplier, shift, unit, zero_point, low, high)
    return Requantized(codes=codes.astype(code_dtype(low, high), copy=False), clipped_low=below, clipped_high=above)


def _one_by_one(
    acc: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
) -> tuple[np.ndarray, int, int]:
    """Run the definition for every element, one code beyond either bound to see what was clipped."""
    one = definition(unit.scheme).requantize_one
    wide = np.array(
        [
            one(int(value), factor, int(places), unit, zero_point, low - 1, high + 1)
            for row in acc
            for value, factor, places in zip(row, multiplier, shift, strict=True)
        ],
        dtype=object,
    ).reshape(acc.shape)
    below, above = int((wide < low).sum()), int((wide > high).sum())
    return np.clip(wide, low, high).astype(np.int64), below, above
