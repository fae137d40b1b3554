"""CONCATENATION, PACK and UNPACK."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.reading.coded import read_on
from hwsim.interchange.tflite.layout import identity
from hwsim.interchange.tflite.normalize.common import Normalizer, meeting_layout, meeting_operand
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result
from hwsim.interchange.tflite.shapes import normalized_axis


def concatenation(operator: FileOperator, reading: Reading) -> None:
    """CONCATENATION along an axis."""
    ranks = [len(reading.shape(index)) for index in operator.inputs]
    if len(set(ranks)) != 1:
        raise GraphError(f"its operands must have the same number of dimensions, not {ranks}")
    layout = meeting_layout(reading, operator.inputs)
    axis = normalized_axis(int(operator.get("axis")), len(layout))
    operands = [meeting_operand(reading, index, layout) for index in operator.inputs]
    emit_result(reading, operator, "Concat", operands, layout, axis=layout.index(axis))


def pack(operator: FileOperator, reading: Reading) -> None:
    """PACK: each operand gets a new axis, along which they are joined."""
    shape = reading.shape(operator.inputs[0])
    axis = normalized_axis(int(operator.get("axis")), len(shape) + 1)
    name, parts = reading.names[operator.outputs[0]], []
    for number, index in enumerate(operator.inputs):
        source = reading.operand(index, identity(len(shape)))
        part = reading.fresh(f"{name}/part_{number}")
        reading.emit("Unsqueeze", part, [source], [part], axes=(axis,))
        parts.append(part)
    emit_result(reading, operator, "Concat", parts, identity(len(shape) + 1), axis=axis)


def unpack(operator: FileOperator, reading: Reading) -> None:
    """UNPACK: parts of one element along an axis, which then leaves their shape."""
    x = operator.inputs[0]
    shape = reading.shape(x)
    axis = normalized_axis(int(operator.get("axis")), len(shape))
    if shape[axis] != len(operator.outputs):
        raise GraphError(f"{shape[axis]} elements of axis {axis} do not unpack into {len(operator.outputs)} results")
    source = reading.operand(x, identity(len(shape)))
    names = [reading.names[index] for index in operator.outputs]
    parts = [reading.fresh(f"{name}/part") for name in names]
    reading.emit("Split", f"{names[0]}/split", [source], parts, axis=axis, sizes=(1,) * len(parts))
    for index, name, part in zip(operator.outputs, names, parts, strict=True):
        grid, own = reading.grid(index), reading.grids.get(source)
        target = name if own is None or grid in (None, own) else reading.fresh(f"{name}/result")
        reading.emit("Squeeze", name, [part], [target], axes=(axis,))
        if target != name and grid is not None:
            read_on(reading.draft, target, grid, output=name)
        reading.place(index, name, identity(len(shape) - 1))


NORMALIZERS: dict[str, Normalizer] = {"CONCATENATION": concatenation, "PACK": pack, "UNPACK": unpack}
