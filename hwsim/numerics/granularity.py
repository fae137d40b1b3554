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
        groups: with an axis, the group that each of its indices belongs to, 0 .. G - 1 in any order: one scale per group.
            The groups need not be runs; what sorts them into runs is a permutation of the axis.
        by: with groups, a second axis along which every index has G scales of its own, row-major ``[by, G]``.

    Raises:
        HwsimError: an axis that is not counted from the front, a block without an axis or of no elements, groups that
            leave a number out.
    """

    axis: int | None = None
    block: int | None = None
    groups: tuple[int, ...] | None = None
    by: int | None = None

    def __post_init__(self) -> None:
        if self.groups is not None:
            self._check_groups()
        elif self.by is not None:
            raise HwsimError(f"granularity: axis {self.by} has scales of its own only beside groups of another axis")
        if self.axis is not None and self.axis < 0:
            raise HwsimError(f"granularity: axis must be counted from the front (0, 1, ...), not {self.axis}")
        if self.block is not None and (self.axis is None or self.block < 1):
            raise HwsimError(
                f"granularity: a block needs an axis and 1 or more elements, not {self.block} on {self.axis}"
            )

    def _check_groups(self) -> None:
        if self.axis is None or self.block is not None or self.by == self.axis or (self.by is not None and self.by < 0):
            raise HwsimError(
                f"granularity: groups need an axis, no block, and another axis to stand by, not {self.axis}, "
                f"{self.block}, {self.by}"
            )
        assert self.groups is not None
        if not self.groups or set(self.groups) != set(range(max(self.groups) + 1)):
            raise HwsimError("granularity: groups must be numbered 0, 1, ... without a gap, one number per index")

    @classmethod
    def of_runs(cls, axis: int, size: int, run: int, by: int | None = None) -> Granularity:
        """Return groups of ``run`` neighbours along an axis of ``size`` indices; the last may be shorter.

        >>> Granularity.of_runs(0, 5, 2).groups
        (0, 0, 1, 1, 2)
        """
        if run < 1:
            raise HwsimError(f"granularity: a group has 1 or more elements, not {run}")
        return cls(axis=axis, groups=tuple(index // run for index in range(size)), by=by)

    @property
    def group_count(self) -> int:
        """Number of groups along the axis; 1 without groups."""
        return 1 if self.groups is None else max(self.groups) + 1

    def shape(self, count: int, rank: int) -> tuple[int, ...]:
        """Return the shape in which ``count`` scales broadcast against a tensor of ``rank`` dimensions.

        Raises:
            HwsimError: scales of blocks or groups, which do not broadcast; see ``spread``.
        """
        if self.block is not None or self.groups is not None:
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
        if self.groups is not None:
            if len(self.groups) != shape[self.axis] or (self.by is not None and self.by >= len(shape)):
                raise HwsimError(f"granularity: {self} does not fit a tensor of shape {shape}")
            return (self.group_count,) if self.by is None else (shape[self.by], self.group_count)
        if self.block is None:
            return (shape[self.axis],)
        return tuple(-(-size // self.block) if axis == self.axis else size for axis, size in enumerate(shape))

    def spread(self, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return ``values`` (one per scale, ``[count]``) in a shape that broadcasts against a tensor of ``shape``.

        Raises:
            HwsimError: another number of values than a tensor of this shape has scales.

        >>> Granularity(axis=1, block=2).spread(np.array([1, 2, 3, 4]), (2, 3)).tolist()
        [[1, 1, 2], [3, 3, 4]]
        >>> Granularity(axis=1, groups=(0, 1, 0), by=0).spread(np.array([1, 2, 3, 4]), (2, 3)).tolist()
        [[1, 2, 1], [3, 4, 3]]
        """
        if self.axis is None or (self.block is None and self.groups is None):
            return values.reshape(self.shape(values.size, len(shape)))
        blocks = self.scale_shape(shape)
        if values.size != int(np.prod(blocks)):
            raise HwsimError(
                f"granularity: a tensor of shape {shape} has {int(np.prod(blocks))} scales, one per {self}, "
                f"not {values.size}"
            )
        if self.groups is not None:
            chosen = values.reshape(-1, self.group_count)[:, list(self.groups)]
            chosen = chosen.T if self.by is not None and self.by > self.axis else chosen
            return chosen.reshape([size if axis in (self.axis, self.by) else 1 for axis, size in enumerate(shape)])
        assert self.block is not None
        repeated = np.repeat(values.reshape(blocks), self.block, axis=self.axis)
        return np.take(repeated, np.arange(shape[self.axis]), axis=self.axis)

    def __str__(self) -> str:
        if self.groups is not None:
            beside = "" if self.by is None else f", by={self.by}"
            return f"groups(axis={self.axis}, count={self.group_count}{beside})"
        if self.block is not None:
            return f"block(axis={self.axis}, size={self.block})"
        return "tensor" if self.axis is None else f"channel(axis={self.axis})"


PER_TENSOR = Granularity()
