"""The one constant of each column of a segmented product: bias and static zero-point terms, in units of the accumulator."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.segment_scales import SegmentScales
from hwsim.numerics.rounding import Rounding, rounding_shift


def column_constant(
    layer: Layer, scales: SegmentScales, bias: np.ndarray | None, static: np.ndarray | None
) -> np.ndarray | None:
    """Return what joins the accumulators of each column once: its exact rational value, rounded once, halves to even.

    Static terms meet the multipliers of their segments, so that they cancel what zero points add to the rescaled sums. Of
    float32 accumulators they meet the float32 scales, and the constant is rounded to float64 and then to float32.

    Args:
        layer: a layer with segments.
        scales: of its segments.
        bias: codes ``[groups, n]`` on the bias's own grid, or None.
        static: ``- zx sum(w) + K zx zw`` of each segment, int64 ``[segments, groups, n]``; None where centred codes meet.

    Returns:
        ``[groups, n]`` int64 or float32; None where nothing joins.
    """
    if static is not None and not static.any():
        static = None
    if static is not None:
        groups, n = static.shape[1:]
    elif bias is not None:
        groups, n = bias.shape
    else:
        return None
    real = None if bias is None else _bias_values(layer, bias)
    if scales.constants is None:
        exact = np.full((groups, n), Fraction(0), object) if real is None else real
        if static is not None:
            exact = exact + (static.astype(object) * spread(_fractions(scales.real), groups, n)).sum(axis=0)
        return exact.astype(np.float64).astype(np.float32)
    places, total = 0, np.zeros((groups, n), object)
    if static is not None:
        multiplier, shift = (spread(array.astype(object), groups, n) for array in scales.constants)
        places = max(int(shift.max()), 0)
        total = (static.astype(object) * multiplier * 2 ** (places - shift)).sum(axis=0)
    if real is None:
        rounded = [rounding_shift(int(value), places, Rounding.HALF_EVEN) for value in total.flat]
    else:
        bias_steps = real / spread(_fractions(scales.unit[None]), groups, n)[0]
        rounded = [
            round(Fraction(int(value), 1 << places) + steps)
            for value, steps in zip(total.flat, bias_steps.flat, strict=True)
        ]
    return np.array(rounded, np.int64).reshape(groups, n)


def spread(values: np.ndarray, groups: int, n: int) -> np.ndarray:
    """Return ``[segments, columns]``, of all output channels or 1 for all, as ``[segments, groups, n]``."""
    own = values.reshape(len(values), groups, n) if values.shape[1] == groups * n else values[:, None, :]
    return np.broadcast_to(own, (len(values), groups, n))


def _fractions(values: np.ndarray) -> np.ndarray:
    """Return floats as exact rationals."""
    exact = np.empty(values.shape, object)
    exact.reshape(-1)[:] = [Fraction(float(value)) for value in values.flat]
    return exact


def _bias_values(layer: Layer, codes: np.ndarray) -> np.ndarray:
    """Return what the codes ``[groups, n]`` of the bias stand for, as exact rationals."""
    grid = layer.grid(2)
    shape = layer.tensor(2).shape
    scales, zeros = (
        np.broadcast_to(grid.granularity.spread(values, shape), shape).reshape(-1)
        for values in (grid.operand_scales(), grid.zero_points())
    )
    steps = codes - np.broadcast_to(zeros, codes.size).reshape(codes.shape)
    values: np.ndarray = steps.astype(object) * _fractions(np.broadcast_to(scales, codes.size).reshape(codes.shape))
    return values
