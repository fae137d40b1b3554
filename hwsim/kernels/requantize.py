"""Accumulators to output codes: the fast twin of every ``requantize_one``, by the name of its scheme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.requantizers._work import Codes, Columns
from hwsim.numerics.code_overflow import CodeOverflow
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


@cache
def fast(scheme: str, name: str) -> Callable[..., Codes | None] | None:
    """Return the fast twin ``name`` of ``name_one``: of the scheme's kernel file, or of the scheme that it takes it over from.

    None where there is no such file.
    """
    path = f"hwsim.kernels.requantizers.{scheme}"
    found: Callable[..., Codes | None] | None = getattr(import_module(path), name, None) if find_spec(path) else None
    module = definition(scheme).module
    if found is None and not hasattr(module, f"{name}_one"):
        return fast(module.LIKE, name)
    return found


def requantize(
    acc: np.ndarray,
    constants: Constants,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
    *,
    ends: tuple[int, int] | None = None,
) -> Requantized:
    """Return the codes of ``acc`` by the arithmetic of ``unit``, exactly its definition.

    Args:
        acc: integers ``[rows, n]``, one column per output channel.
        constants: multiplier and shift, ``[n]`` or ``[1]``.
        unit: the requantizer.
        zero_point: output zero point.
        low: smallest output code.
        high: largest output code.
        ends: smallest and largest code of the output's format where a fused clamp (a ReLU) made ``low`` and ``high``
            narrower. A unit with another ``overflow`` than ``saturate`` writes a register of the format and is clamped
            behind it (``vta_shift`` clamps first); for the others the two steps are one.

    Raises:
        ExecutionError: shapes that do not fit one another.
    """
    if acc.ndim != 2 or constants.multiplier.shape[0] not in (1, acc.shape[1]):
        raise ExecutionError(
            f"requantize: accumulators {acc.shape} must be [rows, n] with n or 1 multipliers, "
            f"not {constants.multiplier.shape[0]}"
        )
    bounds = register_ends(unit, low, high, ends)
    work = Columns(
        acc=np.ascontiguousarray(acc, np.int64),
        multiplier=_spread(constants.multiplier, acc.shape[1]),
        shift=_spread(constants.shift, acc.shape[1]),
        unit=unit,
        zero_point=zero_point,
        low=bounds[0],
        high=bounds[1],
    )
    kernel = fast(unit.scheme, "requantize")
    return clamped((kernel(work) if kernel else None) or _one_by_one(work), bounds, low, high)


def _spread(constant: np.ndarray, n: int) -> np.ndarray:
    return np.ascontiguousarray(constant if len(constant) == n else np.broadcast_to(constant, n))


def register_ends(unit: Requantizer, low: int, high: int, ends: tuple[int, int] | None) -> tuple[int, int]:
    """Return the codes between which ``unit`` works: ``ends`` where overflow comes before a fused clamp."""
    if ends is None or unit.overflow in (None, CodeOverflow.SATURATE):
        return low, high
    return (low, high) if getattr(definition(unit.scheme), "CLAMPS_FIRST", False) else ends


def clamped(done: Codes, bounds: tuple[int, int], low: int, high: int) -> Requantized:
    """Return codes between ``low`` and ``high``; those that the clamp moves after an overflow are counted once more."""
    codes, below, above = done
    if bounds != (low, high):
        below, above = below + int((codes < low).sum()), above + int((codes > high).sum())
        codes = np.clip(codes, low, high)
    return Requantized(codes=codes.astype(code_dtype(low, high), copy=False), clipped_low=below, clipped_high=above)


def _one_by_one(work: Columns) -> Codes:
    """Run the definition for every element; a second time without overflow, to see what lay beyond either end."""
    one = definition(work.unit.scheme).requantize_one
    cells = [
        (int(value), factor, int(places))
        for row in work.acc
        for value, factor, places in zip(row, work.multiplier, work.shift, strict=True)
    ]
    codes = [one(*cell, work.unit, work.zero_point, work.low, work.high) for cell in cells]
    free = [one(*cell, *bounds_beyond(work.unit, work.zero_point, work.low, work.high)) for cell in cells]
    below, above = beyond(free, work.unit, work.low, work.high)
    return np.array(codes, np.int64).reshape(work.acc.shape), below, above


def bounds_beyond(unit: Requantizer, zero_point: int, low: int, high: int) -> tuple[Requantizer, int, int, int]:
    """Return what a definition is given so that it saturates one code beyond either end."""
    saturating = unit if unit.overflow is None else replace(unit, overflow=CodeOverflow.SATURATE, saturated_bits=None)
    return saturating, zero_point, low - 1, high + 1


def beyond(free: list[int], unit: Requantizer, low: int, high: int) -> tuple[int, int]:
    """Return how many results lay below the smallest and above the largest code that ``unit`` gives."""
    if unit.overflow is CodeOverflow.SATURATE_SYMMETRIC:
        low = max(low, -high)
    return sum(value < low for value in free), sum(value > high for value in free)
