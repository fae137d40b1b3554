"""Random weights with the statistics of trained ones: fan-in scaled, per-channel spread, tails heavier than normal."""

from __future__ import annotations

import math
import zlib
from functools import cache

import numpy as np

DEGREES = 6  # of freedom of the Student-t distribution: excess kurtosis 3
CHANNEL_SPREAD = 0.25  # standard deviation of the logarithm of a filter's scale
GAMMA_SPREAD = 0.2
BETA_SPREAD = 0.2
_QUANTILES = 256


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the generator that belongs to ``seed`` and ``names``: no tensor depends on the order of drawing.

    >>> bool(stream(0, "resnet50", "w").random() == stream(0, "resnet50", "w").random())
    True
    """
    return np.random.Generator(np.random.SFC64([seed, *(zlib.crc32(name.encode()) for name in names)]))


def filters(shape: tuple[int, ...], fan_in: int, rng: np.random.Generator) -> np.ndarray:
    """Return float32 weights ``shape`` [filters, ...] of variance 2 / fan_in (He et al. 2015, arXiv 1502.01852, eq. 10).

    A value is a normal variate times the inverse square root of a chi-squared one, drawn from 256 equally likely
    quantiles: Student's t with 6 degrees of freedom (its farthest tail excepted), scaled to unit variance.
    """
    weights = rng.standard_normal(shape, dtype=np.float32)
    flat = weights.reshape(-1)
    table = _spreads()
    chunk = 1 << 20  # bounds the memory of the look-up
    for start in range(0, flat.size, chunk):
        part = flat[start : start + chunk]
        part *= table[rng.integers(0, _QUANTILES, part.size, dtype=np.uint8)]
    scale = np.exp(CHANNEL_SPREAD * rng.standard_normal(shape[0]) - CHANNEL_SPREAD**2) * math.sqrt(2 / fan_in)
    weights *= scale.astype(np.float32).reshape(-1, *[1] * (len(shape) - 1))
    return weights


def gamma(channels: int, rng: np.random.Generator) -> np.ndarray:
    """Return batch-normalization scales about one, float32 [channels], none below 0.1."""
    return np.maximum(1 + GAMMA_SPREAD * rng.standard_normal(channels), 0.1).astype(np.float32)


def beta(channels: int, rng: np.random.Generator) -> np.ndarray:
    """Return offsets about zero, float32 [channels]."""
    return (BETA_SPREAD * rng.standard_normal(channels)).astype(np.float32)


@cache
def _spreads() -> np.ndarray:
    """Return the mid-point quantiles of sqrt(degrees / chi-squared), scaled to a mean square of one, float32 [256].

    Chi-squared with 6 degrees of freedom has the closed distribution function 1 - exp(-h) (1 + h + h^2 / 2), h = x / 2.
    """
    half = np.linspace(0, 20, 20_001)
    distribution = 1 - np.exp(-half) * (1 + half + half**2 / 2)
    chi_squared = 2 * np.interp((np.arange(_QUANTILES) + 0.5) / _QUANTILES, distribution, half)
    spread = np.sqrt(DEGREES / chi_squared)
    return (spread / np.sqrt(np.mean(spread**2))).astype(np.float32)
