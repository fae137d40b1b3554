"""Slice, Split and Gather: bounds counted from the front, full ranges left out."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, integers
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.draft import Draft


def slice_(operator: Operator, draft: Draft) -> None:
    """Slice; the bounds become those of a Python slice, counted from the front where that is possible.

    With a negative step an end before element 0 is written as ``-size - 1``. An axis that is kept whole is left out.
    """
    shape = draft.shape(operator.inputs[0])
    starts, ends = integers(operator, draft, "starts", 1), integers(operator, draft, "ends", 2)
    if starts is None or ends is None:
        raise GraphError("its bounds are missing; export the model again")
    axes = integers(operator, draft, "axes", 3) or tuple(range(len(starts)))
    steps = integers(operator, draft, "steps", 4) or (1,) * len(starts)
    kept = []
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        dim = positive_axis(axis, len(shape))
        bounds = _bounds(start, end, step, shape[dim])
        if bounds != (0, shape[dim], 1):
            kept.append((dim, *bounds))
    if not kept:
        draft.same_as(operator.outputs[0], operator.inputs[0])
        return
    kept.sort()
    draft.emit(
        "Slice", operator.name, operator.inputs[:1], operator.outputs,
        axes=tuple(row[0] for row in kept), starts=tuple(row[1] for row in kept), ends=tuple(row[2] for row in kept),
        steps=tuple(row[3] for row in kept),
    )  # fmt: skip


def _bounds(start: int, end: int, step: int, size: int) -> tuple[int, int, int]:
    if step == 0:
        raise GraphError("a step of 0 is not allowed")
    first, last, step = slice(start, end, step).indices(size)
    return first, (last if last >= 0 else -size - 1), step


def split(operator: Operator, draft: Draft) -> None:
    """Split; without sizes into equal parts, the last one smaller where they do not divide."""
    shape = draft.shape(operator.inputs[0])
    axis = positive_axis(operator.get("axis", 0), len(shape))
    sizes = integers(operator, draft, "split", 1)
    if sizes is None:
        parts = int(operator.get("num_outputs", len(operator.outputs)))
        each = -(-shape[axis] // parts)
        sizes = (each,) * (parts - 1) + (shape[axis] - each * (parts - 1),)
    if min(sizes) < 1 or len(sizes) < len(operator.outputs):
        raise GraphError(f"{shape[axis]} elements cannot be split into {list(sizes)}")
    outputs = [name or f"{operator.name}/unused_{index}" for index, name in enumerate(operator.outputs)]
    outputs += [f"{operator.name}/unused_{index}" for index in range(len(outputs), len(sizes))]
    draft.emit("Split", operator.name, operator.inputs[:1], outputs, axis=axis, sizes=sizes)


def gather(operator: Operator, draft: Draft) -> None:
    """Gather along an axis with constant indices."""
    x, name = operator.inputs
    shape = draft.shape(x)
    axis = positive_axis(operator.get("axis", 0), len(shape))
    indices = draft.constant(name, "indices").astype(np.int64)
    if indices.size and not (-shape[axis] <= indices.min() and indices.max() < shape[axis]):
        raise GraphError(f"its indices must be below {shape[axis]}, the size of axis {axis}")
    if (indices < 0).any():
        indices = np.where(indices < 0, indices + shape[axis], indices)
        name = draft.add_constant(f"{name}.positive", indices)
    draft.emit("Gather", operator.name, [x, name], operator.outputs, axis=axis)


NORMALIZERS: dict[str, Normalizer] = {"Slice": slice_, "Split": split, "Gather": gather}
