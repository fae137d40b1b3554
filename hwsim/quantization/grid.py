"""From a real range to a uniform grid: scale and zero point (Nagel et al. 2021, section 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def symmetric_scales(peaks: np.ndarray, end: float, *, power_of_two: bool = False) -> np.ndarray:
    """Return the scales that put each magnitude of ``peaks`` (any shape) on the grid's end, as ``grid_of_range`` does.

    Args:
        peaks: largest magnitudes; 0 gives the scale 1.
        end: the grid's largest value.
        power_of_two: round scales up to powers of two, so that nothing is clipped.

    Raises:
        HwsimError: a magnitude that is not finite.
    """
    if not np.isfinite(peaks).all():
        raise HwsimError("quantization: weights must be finite; check the model")
    scales = np.maximum(peaks / end, _SMALLEST_SCALE).astype(np.float32).astype(np.float64)
    if power_of_two:
        scales = 2.0 ** np.ceil(np.log2(scales))
    return np.where(peaks > 0, scales, 1.0)


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


def params_of_powers(
    low: float,
    high: float,
    number: IntFormat,
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    symmetric: bool,
) -> QuantParams:
    """Return the better of the two power-of-two grids next to a range: the scale rounded up, or down, which clips.

    Rounding up a range that was found for its error gives the narrower power no chance, though it may lose less.

    Args:
        low: smallest value of the range.
        high: largest.
        number: the codes.
        losses: ``(scale [grids], zero_point [grids]) -> loss [grids]``, as ``Distribution.squared_errors``.
        symmetric: zero point 0.
    """
    wide = grid_of_range(low, high, number, symmetric, power_of_two=True)
    narrow = wide[0] / 2
    shifted = 0 if symmetric else number.minimum + round(-min(low, 0.0) / narrow)
    grids = (wide, (narrow, min(max(shifted, number.minimum), number.maximum)))
    scale, zero_point = (np.array(each, dtype=np.float64) for each in zip(*grids, strict=True))
    chosen = grids[int(losses(scale, zero_point).argmin())] if high > low else wide
    return QuantParams(format=number, scale=(chosen[0],), zero_point=(chosen[1],))
