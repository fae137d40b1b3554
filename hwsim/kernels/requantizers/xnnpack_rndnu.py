"""Fast twin of ``hwsim.numerics.requantizers.xnnpack_rndnu``: ``fixed_point`` with ties towards +infinity."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from hwsim.kernels.requantizers import _common_shift, fixed_point
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.rounding import Rounding

rescale_sum = partial(_common_shift.rescale_sum, rounding=Rounding.HALF_UP)


def requantize(
    acc: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
) -> tuple[np.ndarray, int, int] | None:
    """Return codes ``[rows, n]`` and the two clip counts; see ``fixed_point``, whose arguments these are."""
    return fixed_point.requantize(
        acc, multiplier, shift, replace(unit, rounding=Rounding.HALF_UP), zero_point, low, high
    )
