"""What XNNPACK and QNNPACK share: the multiplier is the 24-bit significand of a float32 scale; an Add on one shift."""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite

SIGNIFICAND_BITS = 24


def in_range(real: np.ndarray, scheme: str, low: int, high: int, *, signed: bool = False) -> np.ndarray:
    """Return float32 values of float64 ``[n]``; raise HwsimError where a magnitude leaves ``[2^low, 2^high)``."""
    exact = finite(real)
    with np.errstate(over="ignore"):
        values = exact.astype(np.float32)
    size = np.abs(values) if signed else values
    wrong = ~((size >= 2.0**low) & (size < 2.0**high))
    if wrong.any():
        channel = int(np.argmax(wrong))
        raise HwsimError(
            f"requantizer: {scheme} takes {'magnitudes' if signed else 'scales'} from 2^{low} to below 2^{high}, but "
            f"number {channel} is {exact[channel]:.6g}; check the layer's scales, or use fixed_point"
        )
    return values


def significands(real_scale: np.ndarray, scheme: str, high: int) -> Constants:
    """Return the 24-bit significands and the shifts of scales from ``2^-32`` to below ``2^high``, without loss."""
    fraction, exponent = np.frexp(in_range(real_scale, scheme, -32, high))
    multiplier = np.ldexp(fraction, SIGNIFICAND_BITS).astype(np.int64)
    return Constants(multiplier=multiplier, shift=SIGNIFICAND_BITS - exponent.astype(np.int64))


def one_shift(ratios: np.ndarray, bits: int) -> SumConstants:
    """Return ``m_i = rint(r_i * 2^t)``, where the largest magnitude lies in ``[2^bits, 2^(bits+1)]``, for float32 ratios."""
    shift = bits + 1 - int(np.frexp(np.abs(ratios).max())[1])
    return SumConstants(multiplier=np.rint(np.ldexp(ratios, shift)).astype(np.int64), shift=shift)
