"""The first rows of a network's output, kept as they are."""

from __future__ import annotations

import numpy as np

KEPT_VALUES = 1 << 17


class Rows:
    """Logits ``[rows, classes]`` in the order in which they came, at most ``KEPT_VALUES`` numbers and at least one row."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._count = 0

    def update(self, values: np.ndarray) -> None:
        """Add an output ``[images, ..., classes]``, or ``[images, classes, height, width]``."""
        classes = channel_axis(values.ndim)
        rows = np.moveaxis(values, classes, -1).reshape(-1, values.shape[classes])
        room = max(KEPT_VALUES // rows.shape[1], 1) - self._count
        if room > 0:
            self._parts.append(rows[:room].copy())
            self._count += len(self._parts[-1])

    @property
    def values(self) -> np.ndarray:
        """Float64 ``[rows, classes]``."""
        return np.concatenate(self._parts).astype(np.float64)


def channel_axis(rank: int) -> int:
    """Return the axis of channels: 1 of images ``[n, c, h, w]``, else the last.

    >>> [channel_axis(rank) for rank in (2, 3, 4)]
    [1, 2, 1]
    """
    return 1 if rank == 4 else rank - 1
