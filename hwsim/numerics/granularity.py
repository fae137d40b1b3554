"""Which elements of a tensor share one scale and zero point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError


@dataclass(frozen=True, slots=True, kw_only=True)
class Granularity:
    """A partition of a tensor onto scales.

    Args:
        axis: None for one scale for the whole tensor; else one scale per index of this axis.
        block: with an axis, one scale per run of so many elements along it and per index of all other axes, in row-major
            order (ONNX's blocked quantization, the groups of k in low-bit weights). The last block may be shorter.

    Raises:
        HwsimError: an axis that is not counted from the front, a block without an axis or of no elements.
    """

    axis: int | None = None
    block: int | None = None

    def __post_init__(self) -> None:
        if self.axis is not None and self.axis < 0:
            raise HwsimError(f"granularity: axis must be counted from the front (0, 1, ...), not {self.axis}")
        if self.block is not None and (self.axis is None or self.block < 1):
            raise HwsimError(
                f"granularity: a block needs an axis and 1 or more elements, not {self.block} on {self.axis}"
            )

    def shape(self, count: int, rank: int) -> tuple[int, ...]:
        """Return the shape in which ``count`` scales broadcast against a tensor of ``rank`` dimensions.

        Raises:
            HwsimError: blocked scales, which do not broadcast; see ``spread``.
        """
        if self.block is not None:
            raise HwsimError(f"granularity: scales per {self} do not broadcast against a tensor")
        if self.axis is None:
            return (1,) * rank
        return tuple(count if axis == self.axis else 1 for axis in range(rank))

    def scale_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the scales of a tensor of ``shape``, as ONNX writes it.

        >>> Granularity(axis=1, block=32).scale_shape((3, 40, 5)), Granularity(axis=0).scale_shape((3, 40))
        ((3, 2, 5), (3,))
        """
        if self.axis is None:
            return ()
        if self.axis >= len(shape):
            raise HwsimError(f"granularity: {self} does not exist in a tensor of shape {shape}")
        if self.block is None:
            return (shape[self.axis],)
        return tuple(-(-size // self.block) if axis == self.axis else size for axis, size in enumerate(shape))

    def spread(self, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return ``values`` (one per scale, ``[count]``) in a shape that broadcasts against a tensor of ``shape``.

        Raises:
            HwsimError: another number of values than a tensor of this shape has scales.

        >>> Granularity(axis=1, block=2).spread(np.array([1, 2, 3, 4]), (2, 3)).tolist()
        [[1, 1, 2], [3, 3, 4]]
        """
        if self.block is None:
            return values.reshape(self.shape(values.size, len(shape)))
        assert self.axis is not None
        blocks = self.scale_shape(shape)
        if values.size != int(np.prod(blocks)):
            raise HwsimError(
                f"granularity: a tensor of shape {shape} has {int(np.prod(blocks))} scales, one per {self}, "
                f"not {values.size}"
            )
        repeated = np.repeat(values.reshape(blocks), self.block, axis=self.axis)
        return np.take(repeated, np.arange(shape[self.axis]), axis=self.axis)

    def __str__(self) -> str:
        if self.block is not None:
            return f"block(axis={self.axis}, size={self.block})"
        return "tensor" if self.axis is None else f"channel(axis={self.axis})"


PER_TENSOR = Granularity()
