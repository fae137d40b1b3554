"""Search for the range with the least loss over fractions of the range seen.

Symmetric grids, and values on one side of 0, have one end to search: 20 coarse fractions, then all that lie next to the best.
Otherwise both ends: a coarse grid of 10 x 10, then each end in turn, coarse and fine. The whole range is always among the
candidates and wins ties, so that the result is never worse than min-max by the same loss.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.grid import grid_of_range

FRACTIONS = np.linspace(1.0, 0.01, 100)
COARSE, COARSER = FRACTIONS[::5], FRACTIONS[::11]
ROUNDS = 2

Losses = Callable[[np.ndarray, np.ndarray], np.ndarray]


def best_range(low: float, high: float, number: IntFormat, symmetric: bool, losses: Losses) -> tuple[float, float]:
    """Return the best range found.

    Args:
        low: smallest value seen.
        high: largest value seen.
        number: the codes.
        symmetric: whether the grid's zero point is 0.
        losses: ``(scale [grids], zero_point [grids]) -> loss [grids]``.
    """
    low, high = min(low, 0.0), max(high, 0.0)

    def best(lows: np.ndarray, highs: np.ndarray) -> int:
        grids = [grid_of_range(a, b, number, symmetric) for a, b in zip(lows, highs, strict=True)]
        scale, zero_point = (np.array(each, dtype=np.float64) for each in zip(*grids, strict=True))
        return int(losses(scale, zero_point).argmin())

    def along(down: np.ndarray, up: np.ndarray) -> tuple[float, float]:
        """Both ends by the same index of ``FRACTIONS``, or one end held."""
        first = best(down[::5], up[::5]) * 5
        near = np.unique(np.clip([0, *range(first - 4, first + 5)], 0, FRACTIONS.size - 1))
        chosen = near[best(down[near], up[near])]
        return float(down[chosen]), float(up[chosen])

    if symmetric or low == 0.0 or high == 0.0:
        return along(low * FRACTIONS, high * FRACTIONS)
    lows, highs = (each.reshape(-1) for each in np.meshgrid(low * COARSER, high * COARSER, indexing="ij"))
    chosen = best(lows, highs)
    found = float(lows[chosen]), float(highs[chosen])
    for _ in range(ROUNDS):
        for end in range(2):
            held = [np.full(FRACTIONS.size, each) for each in found]
            held[end] = (low, high)[end] * FRACTIONS
            moved = along(held[0], held[1])
            ends = np.array([found, moved])
            found = moved if best(ends[:, 0], ends[:, 1]) else found
    return found
