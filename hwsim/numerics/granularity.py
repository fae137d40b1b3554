"""Which elements of a tensor share one scale and zero point."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import HwsimError


@dataclass(frozen=True, slots=True, kw_only=True)
class Granularity:
    """A partition of a tensor onto scales: the whole tensor (``axis`` None), or one scale per index of ``axis``."""

    axis: int | None = None
    block: int | None = None

    def __post_init__(self) -> None:
        if self.axis is not None and self.axis < 0:
            raise HwsimError(f"granularity: axis must be counted from the front (0, 1, ...), not {self.axis}")

    def shape(self, count: int, rank: int) -> tuple[int, ...]:
        """Return the shape in which ``count`` scales broadcast against a tensor of ``rank`` dimensions."""
        if self.axis is None:
            return (1,) * rank
        return tuple(count if axis == self.axis else 1 for axis in range(rank))

    def __str__(self) -> str:
        return "tensor" if self.axis is None else f"channel(axis={self.axis})"


PER_TENSOR = Granularity()
