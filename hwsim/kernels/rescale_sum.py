"""The integer Add: several tensors of centred codes onto one output grid; the fast twin of every ``rescale_sum_one``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantize import Requantized, code_dtype, requantize
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import Constants, SumConstants

INT64_MAX = (1 << 63) - 1


def rescale_sum(
    tensors: Sequence[np.ndarray], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> Requantized:
    """Return the codes of ``sum_i ratio_i * tensor_i`` by the arithmetic of ``unit``.

    Args:
        tensors: centred integer codes that broadcast against one another.
        constants: one multiplier per tensor and the shift of the sum.
        unit: the requantizer.
        zero_point: output zero point.
        low: smallest output code.
        high: largest output code.

    Returns:
        Codes of the common shape, with the counts clipped at either end.

    Raises:
        ExecutionError: as many multipliers as tensors are needed.
    """
    if len(tensors) != len(constants.multiplier):
        raise ExecutionError(
            f"rescale_sum: {len(tensors)} tensors need as many multipliers, not {constants.multiplier.size}"
        )
    arrays = np.broadcast_arrays(*tensors)
    module = f"hwsim.kernels.requantizers.{unit.scheme}"
    own = getattr(import_module(module), "rescale_sum", None) if find_spec(module) else None
    done = own(arrays, constants, unit, zero_point, low, high) if own else None
    if done is not None:
        codes, below, above = done
        return Requantized(codes=codes.astype(code_dtype(low, high), copy=False), clipped_low=below, clipped_high=above)
    if unit.scheme == "float32":
        summed = _float32(arrays, constants.multiplier, zero_point, low, high)
        return summed or _one_by_one(arrays, constants, unit, zero_point, low, high)
    factors = [int(factor) for factor in constants.multiplier]
    if (
        unit.scheme not in ("fixed_point", "power_of_two")
        or sum(abs(factor) * magnitude(x) for factor, x in zip(factors, arrays, strict=True)) > INT64_MAX
    ):
        return _one_by_one(arrays, constants, unit, zero_point, low, high)
    total = arrays[0].astype(np.int64) * factors[0]
    for array, factor in zip(arrays[1:], factors[1:], strict=True):
        total += array.astype(np.int64) * factor
    once = Constants(multiplier=np.ones(1, np.int64), shift=np.array([constants.shift], np.int64))
    flat = requantize(total.reshape(-1, total.shape[-1] if total.ndim else 1), once, unit, zero_point, low, high)
    return Requantized(
        codes=flat.codes.reshape(total.shape), clipped_low=flat.clipped_low, clipped_high=flat.clipped_high
    )


def _float32(
    arrays: Sequence[np.ndarray], ratios: np.ndarray, zero_point: int, low: int, high: int
) -> Requantized | None:
    """Add in operand order, every operation rounded to float32; None where a bound or a sum leaves what is exact."""
    if max(abs(low), abs(high), abs(zero_point)) >= 1 << 52:
        return None
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = arrays[0].astype(np.float32) * ratios[0]
        for array, ratio in zip(arrays[1:], ratios[1:], strict=True):
            total += array.astype(np.float32) * ratio
    if np.isnan(total).any():
        return None
    values, floor, ceiling = np.rint(total).astype(np.float64), low - zero_point, high - zero_point
    dtype = np.int32 if max(abs(low), abs(high)) < 1 << 31 else np.int64
    codes = (np.clip(values, floor, ceiling) + zero_point).astype(dtype)
    return Requantized(codes=codes, clipped_low=int((values < floor).sum()), clipped_high=int((values > ceiling).sum()))


def _one_by_one(
    arrays: Sequence[np.ndarray], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> Requantized:
    one = definition(unit.scheme).rescale_sum_one
    rows = zip(*(array.reshape(-1).tolist() for array in arrays), strict=True)
    wide = np.array([one(list(row), constants, unit, zero_point, low - 1, high + 1) for row in rows], dtype=object)
    return Requantized(
        codes=np.clip(wide, low, high).astype(np.int64).reshape(arrays[0].shape),
        clipped_low=int((wide < low).sum()),
        clipped_high=int((wide > high).sum()),
    )
