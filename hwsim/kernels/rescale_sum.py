"""The integer Add: several tensors of centred codes onto one output grid; the fast twin of every ``rescale_sum_one``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.requantize import Requantized, beyond, bounds_beyond, clamped, fast, register_ends
from hwsim.kernels.requantizers._work import Codes, Terms
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers._constants import SumConstants


def rescale_sum(
    tensors: Sequence[np.ndarray],
    constants: SumConstants,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
    *,
    ends: tuple[int, int] | None = None,
) -> Requantized:
    """Return the codes of ``sum_i ratio_i * tensor_i`` by the arithmetic of ``unit``.

    Args:
        tensors: centred integer codes that broadcast against one another.
        constants: one multiplier per tensor and the shift of the sum.
        unit: the requantizer.
        zero_point: output zero point.
        low: smallest output code.
        high: largest output code.
        ends: of the output's format, where a fused clamp made ``low`` and ``high`` narrower; see ``requantize``.

    Returns:
        Codes of the common shape, with the counts clipped at either end.

    Raises:
        ExecutionError: as many multipliers as tensors are needed.
    """
    if len(tensors) != len(constants.multiplier):
        raise ExecutionError(
            f"rescale_sum: {len(tensors)} tensors need as many multipliers, not {constants.multiplier.size}"
        )
    bounds = register_ends(unit, low, high, ends)
    arrays = np.broadcast_arrays(*tensors)
    terms = Terms(tensors=arrays, constants=constants, unit=unit, zero_point=zero_point, low=bounds[0], high=bounds[1])
    kernel = fast(unit.scheme, "rescale_sum")
    return clamped((kernel(terms) if kernel else None) or _one_by_one(terms), bounds, low, high)


def _one_by_one(terms: Terms) -> Codes:
    one, unit = definition(terms.unit.scheme).rescale_sum_one, terms.unit
    rows = [list(row) for row in zip(*(array.reshape(-1).tolist() for array in terms.tensors), strict=True)]
    codes = [one(row, terms.constants, unit, terms.zero_point, terms.low, terms.high) for row in rows]
    wide = bounds_beyond(unit, terms.zero_point, terms.low, terms.high)
    below, above = beyond([one(row, terms.constants, *wide) for row in rows], unit, terms.low, terms.high)
    return np.array(codes, np.int64).reshape(terms.tensors[0].shape), below, above
