"""PAD, PADV2 and MIRROR_PAD."""

from __future__ import annotations

import tflite

from hwsim.errors import GraphError
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result

_MODES = {tflite.MirrorPadMode.REFLECT: "reflect", tflite.MirrorPadMode.SYMMETRIC: "edge"}


def _pads(operator: FileOperator, reading: Reading) -> list[tuple[int, int]]:
    """Return (before, after) for every axis of the file's layout."""
    shape = reading.shape(operator.inputs[0])
    table = reading.constant(operator.inputs[1], "pads")
    if table.shape != (len(shape), 2) or table.dtype.kind not in "iu" or table.min(initial=0) < 0:
        raise GraphError(f"its pads must be two numbers, not negative, for each of the {len(shape)} dimensions")
    return [(int(before), int(after)) for before, after in table]


def pad(operator: FileOperator, reading: Reading) -> None:
    """PAD with real 0, PADV2 with a constant of the input's grid."""
    x = operator.inputs[0]
    pads, value = _pads(operator, reading), 0.0
    if operator.code == "PADV2":
        fill, grid = reading.constant(operator.inputs[2], "pad value"), reading.grid(x)
        if fill.size != 1:
            raise GraphError(f"its pad value must be one number, not {fill.size}")
        value = float((fill if grid is None else grid.decode(fill)).reshape(()))
    _emit(operator, reading, pads, "constant", value)


def mirror_pad(operator: FileOperator, reading: Reading) -> None:
    """MIRROR_PAD; the symmetric mode repeats the edge, which for one element is all of it."""
    mode, pads = operator.get("mode"), _pads(operator, reading)
    if mode not in _MODES:
        raise GraphError(f"mode must be REFLECT or SYMMETRIC, not number {mode}")
    if mode == tflite.MirrorPadMode.SYMMETRIC and max(max(ends) for ends in pads) > 1:
        raise GraphError("symmetric pads of more than one element are not supported; use REFLECT, or pads of one")
    shape = reading.shape(operator.inputs[0])
    for size, ends in zip(shape, pads, strict=True):
        if mode == tflite.MirrorPadMode.REFLECT and max(ends) >= size:
            raise GraphError(f"reflected pads of {max(ends)} need more than {size} elements")
    _emit(operator, reading, pads, _MODES[mode], 0.0)


def _emit(operator: FileOperator, reading: Reading, pads: list[tuple[int, int]], mode: str, value: float) -> None:
    x = operator.inputs[0]
    layout = reading.layout(x)
    placed = tuple(pads[axis] for axis in layout)
    emit_result(reading, operator, "Pad", [reading.operand(x)], layout, pads=placed, mode=mode, value=value)


NORMALIZERS: dict[str, Normalizer] = {"PAD": pad, "PADV2": pad, "MIRROR_PAD": mirror_pad}
