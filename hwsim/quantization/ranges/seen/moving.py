"""An exponential moving average of the extremes of every image."""

from __future__ import annotations

import numpy as np

MOMENTUM = 0.9


class MovingExtremes:
    """``r <- momentum r + (1 - momentum) r(image)`` image by image, in order; the first image is the start."""

    def __init__(self) -> None:
        self.low: float | None = None
        self.high: float | None = None

    def update(self, values: np.ndarray, images: int) -> None:
        """Add ``images`` images: equal parts of dimension 0; all of ``values`` is one where that cannot be."""
        count = images if values.ndim and values.shape[0] % images == 0 else 1
        by_image = values.reshape(count, -1)
        for low, high in zip(by_image.min(axis=1).tolist(), by_image.max(axis=1).tolist(), strict=True):
            self.low = low if self.low is None else MOMENTUM * self.low + (1 - MOMENTUM) * low
            self.high = high if self.high is None else MOMENTUM * self.high + (1 - MOMENTUM) * high
