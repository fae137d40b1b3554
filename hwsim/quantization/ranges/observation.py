"""What calibration remembers of a tensor: its exact extremes and a histogram."""

from __future__ import annotations

import numpy as np

BINS = 4096


class Observation:
    """Exact minimum and maximum of everything seen, and a histogram whose range doubles as needed.

    The histogram spans ``[-limit, limit]`` in ``BINS`` bins; when a value lies outside, ``limit`` doubles and
    neighbouring bins merge, so that no earlier value is lost and memory stays constant.
    """

    def __init__(self) -> None:
        self.minimum = np.inf
        self.maximum = -np.inf
        self.limit = 0.0
        self.counts = np.zeros(BINS, dtype=np.float64)

    def update(self, values: np.ndarray) -> None:
        """Add the values of one batch (any shape, finite)."""
        if values.size == 0:
            return
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))
        peak = max(-self.minimum, self.maximum)
        if self.limit == 0.0 and peak > 0:
            self.limit = peak
        while self.limit < peak:
            self._double()
        if self.limit == 0.0:
            self.counts[BINS // 2] += values.size
            return
        self.counts += np.histogram(values, bins=BINS, range=(-self.limit, self.limit))[0]

    def _double(self) -> None:
        merged = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts = np.zeros(BINS, dtype=np.float64)
        self.counts[BINS // 4 : BINS // 4 + BINS // 2] = merged
        self.limit *= 2

    @property
    def centres(self) -> np.ndarray:
        """Bin centres, float64 ``[BINS]``; the bin that straddles no zero keeps the sign of its values."""
        edges = np.linspace(-self.limit, self.limit, BINS + 1)
        return np.clip((edges[:-1] + edges[1:]) / 2, self.minimum, self.maximum)

    @classmethod
    def of(cls, values: np.ndarray) -> Observation:
        """Observe one array."""
        observation = cls()
        observation.update(values)
        return observation
