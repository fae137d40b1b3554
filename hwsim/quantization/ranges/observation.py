"""What calibration saw of one tensor."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwsim.errors import HwsimError
from hwsim.quantization.ranges.seen import Channels, Distribution, Histogram, MovingExtremes, Rows

NEEDS = ("extremes", "histogram", "moving", "channels", "rows", "statistics")


class Observation:
    """Exact minimum and maximum of everything seen, and what estimators need beyond them.

    Args:
        needs: of ``NEEDS``: ``extremes``, which are always kept; ``histogram`` of the values; ``moving`` average of the extremes of each image; ``channels``,
            variances and a histogram weighted by them, which takes a second pass over the images; ``rows`` of a network
            output; ``statistics``, the range that batch normalizations tell, set from outside.
        is_output: whether the tensor is a result of the network; ``rows`` are kept of these only.
    """

    def __init__(self, needs: Iterable[str] = ("histogram",), *, is_output: bool = False) -> None:
        self.needs = frozenset(needs)
        self.minimum = np.inf
        self.maximum = -np.inf
        self.histogram = Histogram() if "histogram" in self.needs else None
        self.moving = MovingExtremes() if "moving" in self.needs else None
        self.channels = Channels() if "channels" in self.needs else None
        self.rows = Rows() if "rows" in self.needs and is_output else None
        self.statistics: tuple[float, float] | None = None
        self._known: np.ndarray | None = None

    @classmethod
    def of(cls, values: np.ndarray) -> Observation:
        """Observe one array that is known in full, such as a weight: one image, one channel, extremes that are certain."""
        found = cls()
        found._known = values
        found.minimum, found.maximum = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        return found

    @classmethod
    def of_statistics(cls, low: float, high: float) -> Observation:
        """Return what is known of a tensor that nobody ran: the range that statistics give it."""
        found = cls(("statistics",))
        found.minimum, found.maximum, found.statistics = low, high, (low, high)
        return found

    def update(self, values: np.ndarray, images: int = 1) -> None:
        """Add the values of ``images`` images (any shape, dimension 0 counts images).

        Raises:
            HwsimError: a value that is not finite.
        """
        if values.size == 0:
            return
        low, high = float(values.min()), float(values.max())
        if not (np.isfinite(low) and np.isfinite(high)):  # what is not a number is passed on by minimum and maximum
            raise HwsimError("not finite; check the inputs and the weights before it")
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        peak = max(-low, high)
        if self.histogram is not None:
            self.histogram.update(values, peak)
        if self.moving is not None:
            self.moving.update(values, images)
        if self.channels is not None:
            self.channels.update(values, peak)
        if self.rows is not None:
            self.rows.update(values)

    def update_again(self, values: np.ndarray) -> None:
        """Add the values of a second pass over the same images, for what takes two."""
        if self.channels is not None and values.size:
            self.channels.update_again(values)

    @property
    def is_exact(self) -> bool:
        """Whether every value is known, as of a weight."""
        return self._known is not None

    def distribution(self) -> Distribution:
        """Return where the values lie: exactly of an array known in full, else by the histogram."""
        if self._known is not None:
            return Distribution.of(self._known)
        self.check("histogram")
        assert self.histogram is not None
        return self.histogram.distribution(self.minimum, self.maximum)

    def check(self, need: str) -> None:
        """Raise HwsimError where calibration did not collect ``need`` and the values are not known in full."""
        if need not in self.needs and self._known is None:
            raise HwsimError(
                f"range estimator: it reads {need!r}, but calibration collected "
                f"{', '.join(sorted(self.needs)) or 'extremes'}; pass needs_of(graph, plan) to observe"
            )
