"""From a real range to a uniform grid: scale and zero point (Nagel et al. 2021, section 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite, log2

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

_SMALLEST_SCALE = float(np.finfo(np.float32).tiny)


def grid_of_range(
    low: float, high: float, number: IntFormat, symmetric: bool, *, power_of_two: bool = False
) -> tuple[float, int]:
    """Return ``(scale, zero_point)`` of the grid that covers ``low..high`` and holds real 0 exactly.

    Asymmetric: ``scale = (high - low) / (levels - 1)``, ``zero_point = minimum + round(-low / scale)``.
    Symmetric signed: ``scale = max|x| / maximum``; symmetric unsigned needs ``low >= 0`` and uses ``high / maximum``.
    A power-of-two grid rounds the scale up, so that nothing more is clipped.

    Args:
        low: smallest real value; raised to 0 where positive, so that 0 is on the grid.
        high: largest real value; lowered to 0 where negative.
        number: the codes.
        symmetric: zero point 0.
        power_of_two: restrict the scale to powers of two.

    >>> grid_of_range(-1.0, 1.55, IntFormat.parse("uint8"), symmetric=False)
    (0.009999999776482582, 100)
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if not (isfinite(low) and isfinite(high)):
        raise HwsimError(f"quantization: the range {low}..{high} is not finite")
    if symmetric:
        if not number.signed and low < 0:
            raise HwsimError(
                f"quantization: a symmetric {number} grid cannot hold {low:.4g}; "
                f"use an asymmetric grid, or the signed int{number.bits}"
            )
        scale = max(-low, high) / max(number.maximum, 1)
    else:
        scale = (high - low) / max(number.levels - 1, 1)
    scale = float(np.float32(max(scale, _SMALLEST_SCALE))) if high > low else 1.0
    if power_of_two:
        scale = 2.0 ** ceil(log2(scale))
    if symmetric:
        return scale, 0
    zero_point = number.minimum + round(-low / scale)
    return scale, min(max(zero_point, number.minimum), number.maximum)


def params_of_ranges(
    ranges: Sequence[tuple[float, float]],
    number: IntFormat,
    *,
    symmetric: bool,
    power_of_two: bool,
    granularity: Granularity = PER_TENSOR,
) -> QuantParams:
    """Return the QuantParams of one range per tensor, or of one per channel."""
    grids = [grid_of_range(low, high, number, symmetric, power_of_two=power_of_two) for low, high in ranges]
    return QuantParams(
        format=number,
        scale=tuple(scale for scale, _ in grids),
        zero_point=tuple(zero_point for _, zero_point in grids),
        granularity=granularity,
    )
