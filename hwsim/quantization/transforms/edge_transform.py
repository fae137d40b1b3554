"""A change of the unit, the origin and the order of an edge's channels: what equalization, smoothing and grouping have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError


@dataclass(frozen=True, slots=True, eq=False)
class EdgeTransform:
    """``x' = (x[permutation] - shift) / scale`` per channel.

    Args:
        scale: float64 ``[channels]``, positive.
        shift: float64 ``[channels]``, in the unit of ``x``.
        permutation: int64 ``[channels]``; channel i of the result is channel ``permutation[i]`` of ``x``.

    Raises:
        HwsimError: lengths that differ, a scale that is not positive and finite, an order that is no permutation.

    >>> first = EdgeTransform.of(2, scale=[2.0, 4.0]).then(EdgeTransform.of(2, permutation=[1, 0]))
    >>> first.apply(np.array([[2.0, 12.0]])).tolist(), first.inverse().apply(np.array([[3.0, 1.0]])).tolist()
    ([[3.0, 1.0]], [[2.0, 12.0]])
    """

    scale: np.ndarray
    shift: np.ndarray
    permutation: np.ndarray

    def __post_init__(self) -> None:
        if not self.scale.shape == self.shift.shape == self.permutation.shape == (self.scale.size,):
            raise HwsimError(
                f"edge transform: scale, shift and permutation have one value per channel, not {self.scale.shape}, "
                f"{self.shift.shape} and {self.permutation.shape}"
            )
        if not (np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise HwsimError(f"edge transform: scales must be positive and finite, not {self.scale.min():g}")
        if not np.isfinite(self.shift).all():
            raise HwsimError("edge transform: shifts must be finite")
        if not (np.sort(self.permutation) == np.arange(self.permutation.size)).all():
            raise HwsimError(f"edge transform: {self.permutation.tolist()} is no order of {self.scale.size} channels")

    @classmethod
    def of(
        cls,
        channels: int,
        *,
        scale: np.typing.ArrayLike = 1.0,
        shift: np.typing.ArrayLike = 0.0,
        permutation: np.typing.ArrayLike | None = None,
    ) -> EdgeTransform:
        """Return the transform of so many channels; what is left out leaves them as they are."""
        order = np.arange(channels) if permutation is None else np.asarray(permutation, dtype=np.int64)
        wide = [np.array(np.broadcast_to(np.asarray(part, np.float64), (channels,))) for part in (scale, shift)]
        return cls(wide[0], wide[1], order)

    @property
    def channels(self) -> int:
        """How many channels it speaks of."""
        return self.scale.size

    def apply(self, values: np.ndarray, axis: int = -1) -> np.ndarray:
        """Return the transformed ``values``, whose channels lie along ``axis``."""
        shape = [1] * values.ndim
        shape[axis] = self.channels
        taken = np.take(values, self.permutation, axis=axis)
        moved: np.ndarray = (taken - self.shift.reshape(shape)) / self.scale.reshape(shape)
        return moved

    def then(self, second: EdgeTransform) -> EdgeTransform:
        """Return the composition: this one, then ``second``."""
        order = second.permutation
        scale = self.scale[order]
        return EdgeTransform(scale * second.scale, self.shift[order] + second.shift * scale, self.permutation[order])

    def inverse(self) -> EdgeTransform:
        """Return the transform that undoes this one."""
        order = np.argsort(self.permutation)
        return EdgeTransform(1 / self.scale[order], (-self.shift / self.scale)[order], order)

    def repeated(self, inner: int) -> EdgeTransform:
        """Return the transform of an edge on which every channel is a run of ``inner`` elements (a flattened image)."""
        runs = self.permutation[:, None] * inner + np.arange(inner)
        return EdgeTransform(np.repeat(self.scale, inner), np.repeat(self.shift, inner), runs.reshape(-1))

    def parts(self) -> tuple[EdgeTransform, EdgeTransform, EdgeTransform]:
        """Return the permutation, the shift and the scaling that give this transform one after the other."""
        ones, zeros, order = np.ones(self.channels), np.zeros(self.channels), np.arange(self.channels)
        return (
            EdgeTransform(ones, zeros, self.permutation),
            EdgeTransform(ones, self.shift, order),
            EdgeTransform(self.scale, zeros, order),
        )
