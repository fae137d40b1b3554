"""SLICE, STRIDED_SLICE, SPLIT, SPLIT_V and GATHER: what is kept of some axes."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.tflite.layout import identity
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_alias, emit_result, emit_results
from hwsim.interchange.tflite.shapes import normalized_axis, one_integer
from hwsim.interchange.tflite.strided import Cut, plain_cuts, strided_cuts


def slice_(operator: FileOperator, reading: Reading) -> None:
    """SLICE and STRIDED_SLICE; an axis that is kept whole is left out, an index drops its axis."""
    x, index = operator.inputs[0], operator.outputs[0]
    shape = reading.shape(x)
    cuts = (plain_cuts if operator.code == "SLICE" else strided_cuts)(reading, operator, shape)
    dropped = {cut.axis for cut in cuts if cut.dropped}
    layout = identity(len(shape)) if dropped else reading.layout(x)
    cuts = sorted(
        (cut for cut in cuts if (cut.start, cut.end, cut.step) != (0, shape[cut.axis], 1)),
        key=lambda cut: layout.index(cut.axis),
    )
    source = reading.operand(x, layout)
    kept = tuple(axis for axis in range(len(shape)) if axis not in dropped)
    if not cuts and not dropped:
        emit_alias(reading, index, source, layout)
        return
    if not cuts:
        emit_result(reading, operator, "Squeeze", [source], identity(len(kept)), axes=tuple(sorted(dropped)))
        return
    if dropped:
        whole = reading.fresh(f"{reading.names[index]}/cut")
        reading.emit("Slice", whole, [source], [whole], **_bounds(cuts, layout))
        emit_result(reading, operator, "Squeeze", [whole], identity(len(kept)), axes=tuple(sorted(dropped)))
        return
    emit_result(reading, operator, "Slice", [source], layout, **_bounds(cuts, layout))


def _bounds(cuts: list[Cut], layout: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {
        "axes": tuple(layout.index(cut.axis) for cut in cuts),
        "starts": tuple(cut.start for cut in cuts),
        "ends": tuple(cut.end for cut in cuts),
        "steps": tuple(cut.step for cut in cuts),
    }


def split(operator: FileOperator, reading: Reading) -> None:
    """SPLIT into equal parts (axis, input), SPLIT_V into given ones (input, sizes, axis)."""
    even = operator.code == "SPLIT"
    x, place = (operator.inputs[1], 0) if even else (operator.inputs[0], 2)
    shape, layout = reading.shape(x), reading.layout(x)
    axis = normalized_axis(one_integer(reading, operator, place, "axis"), len(shape))
    parts = len(operator.outputs)
    if even:
        sizes = (shape[axis] // parts,) * parts
    else:
        written = reading.integers(operator.inputs[1], "sizes")
        rest = shape[axis] - sum(size for size in written if size != -1)
        sizes = tuple(rest if size == -1 else size for size in written)
    if len(sizes) != parts or sum(sizes) != shape[axis] or min(sizes) < 1:
        raise GraphError(f"{shape[axis]} elements cannot be split into {parts} parts of {list(sizes)}")
    emit_results(reading, operator, "Split", reading.operand(x), layout, axis=layout.index(axis), sizes=sizes)


def gather(operator: FileOperator, reading: Reading) -> None:
    """GATHER along an axis with constant indices."""
    x, indices = operator.inputs[:2]
    shape = reading.shape(x)
    axis = normalized_axis(int(operator.get("axis")), len(shape))
    values = reading.constant(indices, "indices")
    if operator.get("batch_dims"):
        raise GraphError("batch_dims is not supported; convert the model without it")
    if values.dtype.kind not in "iu" or (values.size and not (values.min() >= 0 and values.max() < shape[axis])):
        raise GraphError(f"its indices must be integers of 0 to {shape[axis] - 1}, the size of axis {axis}")
    layout = reading.layout(x) if values.ndim == 1 else identity(len(shape))
    name = reading.add_constant(reading.names[indices], values.astype(np.int64))
    result = layout if values.ndim == 1 else identity(len(shape) - 1 + values.ndim)
    emit_result(reading, operator, "Gather", [reading.operand(x, layout), name], result, axis=layout.index(axis))


NORMALIZERS: dict[str, Normalizer] = {
    "SLICE": slice_,
    "STRIDED_SLICE": slice_,
    "SPLIT": split,
    "SPLIT_V": split,
    "GATHER": gather,
}
