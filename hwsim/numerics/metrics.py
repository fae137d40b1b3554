"""How far integers are from a reference, in numbers that are defined everywhere."""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError


def _pair(reference: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as flat float64, scaled by one power of two so that squares neither overflow nor vanish."""
    first, second = np.asarray(reference, np.float64).ravel(), np.asarray(value, np.float64).ravel()
    if np.shape(reference) != np.shape(value):
        raise HwsimError(f"metrics: shapes differ: {np.shape(reference)} and {np.shape(value)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise HwsimError("metrics: a tensor holds infinity or NaN; the error would mean nothing")
    peak = max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0))
    exponent = -int(np.frexp(peak)[1])
    return np.ldexp(first, exponent), np.ldexp(second, exponent)


def sqnr_db(reference: np.ndarray, value: np.ndarray) -> float:
    """Return the signal to quantization noise ratio ``10 log10(sum r^2 / sum (r - v)^2)`` in dB.

    No noise is ``inf`` (also where both are zero or empty); noise on a reference of zeros is ``-inf``.

    >>> round(sqnr_db(np.array([3.0, 4.0]), np.array([3.0, 4.5])), 6), sqnr_db(np.zeros(2), np.ones(2))
    (20.0, -inf)
    """
    first, second = _pair(reference, value)
    noise = float(np.square(first - second).sum())
    signal = float(np.square(first).sum())
    return ratio_db(signal, noise)


def ratio_db(signal: float, noise: float) -> float:
    """Return ``10 log10(signal / noise)`` of two sums of squares, with the ends of ``sqnr_db``."""
    if noise == 0:
        return float("inf")
    if signal == 0:
        return float("-inf")
    return float(10 * np.log10(signal / noise))


def max_abs_error(reference: np.ndarray, value: np.ndarray) -> float:
    """Return the largest ``|r - v|``, 0 where there is nothing to compare.

    >>> max_abs_error(np.array([1, 2]), np.array([1, 5]))
    3.0
    """
    _pair(reference, value)
    difference = np.asarray(reference, np.float64) - np.asarray(value, np.float64)
    return float(np.abs(difference).max(initial=0.0))


def cosine(reference: np.ndarray, value: np.ndarray) -> float:
    """Return the cosine of the angle between both, in [-1, 1]: 1 where both are zero, 0 where only one is.

    >>> cosine(np.array([1.0, 0.0]), np.array([2.0, 0.0])), cosine(np.zeros(2), np.ones(2))
    (1.0, 0.0)
    """
    first, second = _pair(reference, value)
    lengths = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    if lengths[0] == 0 or lengths[1] == 0:
        return 1.0 if lengths[0] == lengths[1] else 0.0
    return float(np.clip(np.dot(first / lengths[0], second / lengths[1]), -1.0, 1.0))
