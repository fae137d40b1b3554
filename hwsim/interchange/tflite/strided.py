"""The bounds of STRIDED_SLICE and SLICE, axis by axis, as those of Python slices counted from the front."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import GraphError
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is kept of one axis.

    Args:
        axis: of the file's layout.
        start: the first element.
        end: the element that is not taken any more; ``-size - 1`` where a negative step runs through element 0.
        step: between elements.
        dropped: whether the axis, of one element then, leaves the shape.
    """

    axis: int
    start: int
    end: int
    step: int
    dropped: bool = False

    def slice(self) -> slice:
        """Return the Python slice."""
        return slice(self.start, self.end, self.step)


def strided_cuts(reading: Reading, operator: FileOperator, shape: tuple[int, ...]) -> list[Cut]:
    """Return the cuts of STRIDED_SLICE for an input of ``shape``.

    Raises:
        GraphError: an ellipsis or a new axis, bounds that are not constant or do not fit the shape.
    """
    if operator.get("ellipsis_mask") or operator.get("new_axis_mask"):
        raise GraphError("an ellipsis or a new axis in its bounds is not supported; write them out with Reshape")
    starts, ends, steps = (
        reading.integers(operator.inputs[place], role) for place, role in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    if not len(starts) == len(ends) == len(steps) <= len(shape):
        raise GraphError(f"its bounds of {len(starts)}, {len(ends)} and {len(steps)} numbers do not fit {list(shape)}")
    cuts = []
    for axis, (start, end, step) in enumerate(zip(starts, ends, steps, strict=True)):
        size, bit = shape[axis], 1 << axis
        if step == 0:
            raise GraphError("a stride of 0 is not allowed")
        if operator.get("shrink_axis_mask") & bit:
            if not -size <= start < size:
                raise GraphError(f"index {start} of axis {axis} is outside of {size} elements")
            cuts.append(Cut(axis=axis, start=start % size, end=start % size + 1, step=1, dropped=True))
            continue
        first = None if operator.get("begin_mask") & bit else start
        offset = start if operator.get("offset") else 0
        last = None if operator.get("end_mask") & bit else end + offset
        begin, stop, step = slice(first, last, step).indices(size)
        cuts.append(Cut(axis=axis, start=begin, end=stop if stop >= 0 else -size - 1, step=step))
    return cuts


def plain_cuts(reading: Reading, operator: FileOperator, shape: tuple[int, ...]) -> list[Cut]:
    """Return the cuts of SLICE, whose size -1 means all that is left; raise GraphError where they do not fit."""
    starts, sizes = reading.integers(operator.inputs[1], "begin"), reading.integers(operator.inputs[2], "size")
    if not len(starts) == len(sizes) == len(shape):
        raise GraphError(f"its bounds of {len(starts)} and {len(sizes)} numbers do not fit {list(shape)}")
    cuts = []
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        end = shape[axis] if size == -1 else start + size
        if not 0 <= start <= end <= shape[axis]:
            raise GraphError(f"elements {start} to {end} of axis {axis} are outside of {shape[axis]} elements")
        cuts.append(Cut(axis=axis, start=start, end=end, step=1))
    return cuts
