"""Types and helpers that the shape rules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hwsim.errors import GraphError

Shape = tuple[int, ...]
Rule = Callable[[Mapping[str, Any], Sequence[Shape]], list[Shape]]


def text(shape: Sequence[int]) -> str:
    """Return a shape as people write it.

    >>> text((1, 3, 8, 8))
    '[1, 3, 8, 8]'
    """
    return "[" + ", ".join(map(str, shape)) + "]"


def expect_rank(shape: Shape, rank: int, what: str = "the input") -> None:
    """Raise GraphError unless ``shape`` has ``rank`` dimensions."""
    if len(shape) != rank:
        raise GraphError(f"{what} must have {rank} dimensions, not {len(shape)}: {text(shape)}")


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """Return the shape to which ``shapes`` broadcast (numpy's rule); raise GraphError where they do not.

    >>> broadcast([(2, 3, 4), (3, 1)])
    (2, 3, 4)
    """
    rank = max(map(len, shapes))
    aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result = []
    for sizes in zip(*aligned, strict=True):
        wide = {size for size in sizes if size != 1} or {1}
        if len(wide) > 1:
            raise GraphError(f"the shapes {' and '.join(map(text, shapes))} do not broadcast")
        result.append(wide.pop())
    return tuple(result)


def same(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Rule of operators whose output has the shape of the first input."""
    return [shapes[0]]


def broadcasting(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Rule of operators whose inputs broadcast."""
    return [broadcast(shapes)]


def with_scales(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Rule of DynamicQuantize: the codes of the input, and a scale for every index of the dimensions before ``axis``."""
    shape = shapes[0]
    return [shape, tuple(size if place < attributes["axis"] else 1 for place, size in enumerate(shape))]


def with_scale_and_zero_point(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Rule of DynamicQuantizeLinear: the codes of the input, and two numbers."""
    return [shapes[0], (), ()]
