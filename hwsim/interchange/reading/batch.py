"""Where the batch lies in a tensor, and Reshape targets that hold for every batch.

A file writes numbers into its Reshape targets, with some batch multiplied in. To find it again, every shape is computed
twice: for the batch at hand and for another one, the probe. The dimension that differs holds the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlace:
    """Dimension ``axis`` is ``outer * batch * inner``, row-major: ``outer`` is 1 unless a Reshape merged dimensions."""

    axis: int
    outer: int = 1


def find_batch(shape: Shape, probe: Shape, sources: list[tuple[Shape, BatchPlace]]) -> BatchPlace | None:
    """Return where the batch lies in ``shape``, or None where no single dimension depends on it.

    Args:
        shape: for the batch at hand.
        probe: for another batch.
        sources: shape and place of the operator's inputs; a dimension that keeps its size keeps its factors.
    """
    changed = [axis for axis, (size, other) in enumerate(zip(shape, probe, strict=True)) if size != other]
    if len(changed) != 1:
        return None
    for source, place in sources:
        if source[place.axis] == shape[changed[0]]:
            return BatchPlace(axis=changed[0], outer=place.outer)
    return BatchPlace(axis=changed[0])


def any_batch(shape: Shape, target: Shape, place: BatchPlace | None, batch: int) -> tuple[Shape, BatchPlace | None]:
    """Return a Reshape target for every batch, and where the batch lies behind it; the target as it is if none is found.

    Args:
        shape: the input's, for ``batch``.
        target: as written in the file, for ``batch``; 0 copies, -1 infers.
        place: where the batch lies in the input.
        batch: the batch at which the model is read.

    >>> first = BatchPlace(axis=0)
    >>> any_batch((2, 256, 6, 6), (2, 9216), first, 2)[0]
    (0, 9216)
    >>> any_batch((12, 128, 64), (1, 12, -1, 64), first, 1)[0]
    (-1, 12, 128, 64)
    >>> any_batch((128, 2, 64), (128, 8, 16), BatchPlace(axis=1), 2)[0]
    (128, -1, 16)
    """
    resolved = _resolve(shape, target)
    if place is None or resolved is None:
        return target, None
    outer = prod(shape[: place.axis]) * place.outer
    axis = _axis_behind(resolved, outer, batch)
    if axis is None:
        return target, None
    found = BatchPlace(axis=axis, outer=outer // prod(resolved[:axis]))
    if target[axis] == -1:
        return target, found
    if target[axis] == 0 or (axis == place.axis and resolved[axis] == shape[axis]):
        return (*target[:axis], 0, *target[axis + 1 :]), found
    return tuple(-1 if dim == axis else size for dim, size in enumerate(resolved)), found


def _resolve(shape: Shape, target: Shape) -> Shape | None:
    """Return ``target`` in numbers, or None where it does not fit ``shape``."""
    if any(size == 0 and dim >= len(shape) for dim, size in enumerate(target)):
        return None
    sizes = [shape[dim] if size == 0 else size for dim, size in enumerate(target)]
    known = prod(size for size in sizes if size != -1)
    if -1 in sizes and known and prod(shape) % known == 0:
        sizes[sizes.index(-1)] = prod(shape) // known
    return tuple(sizes) if prod(sizes) == prod(shape) and -1 not in sizes else None


def _axis_behind(sizes: Shape, outer: int, batch: int) -> int | None:
    """Return the dimension of ``sizes`` that holds the batch whose outer dimensions count ``outer`` elements."""
    before = [prod(sizes[:axis]) for axis in range(len(sizes))]
    for axis, count in enumerate(before):
        if count == outer and sizes[axis] % batch == 0:
            return axis
    for axis, count in enumerate(before):
        if outer % count == 0 and (count * sizes[axis]) % (outer * batch) == 0:
            return axis
    return None
