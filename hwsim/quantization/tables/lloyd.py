"""k-means of numbers: levels, and which numbers each of them stands for (Lloyd 1982).

In one dimension the numbers of a level are neighbours, so that a pass needs only the places of the borders in the sorted
numbers and sums between them.
"""

from __future__ import annotations

import numpy as np

PASSES = 100


def lloyd(values: np.ndarray, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the levels to which Lloyd's iteration leads; the weighted squared error never grows.

    Args:
        values: float64 ``[n]``, ascending.
        weights: float64 ``[n]``, not negative.
        start: float64 ``[levels]``, ascending; a level without numbers stays where it is.

    >>> lloyd(np.array([0.0, 1.0, 10.0, 11.0]), np.ones(4), np.array([0.0, 5.0])).tolist()
    [0.5, 10.5]
    """
    count, first = (np.concatenate([[0.0], np.cumsum(each)]) for each in (weights, weights * values))
    levels, borders = start, None
    for _ in range(PASSES):
        found = np.searchsorted(values, (levels[1:] + levels[:-1]) / 2)
        if borders is not None and np.array_equal(found, borders):
            break
        borders = found
        places = np.concatenate([[0], borders, [values.size]])
        held = np.diff(count[places])
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.diff(first[places]) / held
        levels = np.sort(np.where(held > 0, means, levels))
    return levels
