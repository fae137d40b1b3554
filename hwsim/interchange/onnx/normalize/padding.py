"""Pad: pads per dimension; negative ones become a Slice."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, integers, scalar
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.draft import Draft

_MODES = ("constant", "reflect", "edge")


def pad(operator: Operator, draft: Draft) -> None:
    """Pad with a constant, the mirror image or the edge."""
    x, output = operator.inputs[0], operator.outputs[0]
    shape = draft.shape(x)
    mode = operator.get("mode", "constant")
    if mode not in _MODES:
        raise GraphError(f"mode {mode!r} is not supported; use {', '.join(_MODES)}")
    flat = integers(operator, draft, "pads" if "pads" in operator.attributes else "paddings", 1)
    if flat is None or len(flat) % 2:
        raise GraphError("its pads are missing or odd in number; export the model again")
    axes = integers(operator, draft, "axes", 3) or tuple(range(len(flat) // 2))
    value = scalar(operator, draft, "value", 2) or 0.0
    pads = [(0, 0)] * len(shape)
    for index, axis in enumerate(axes):
        pads[positive_axis(axis, len(shape))] = (flat[index], flat[index + len(axes)])
    if all(pair == (0, 0) for pair in pads):
        draft.same_as(output, x)
        return
    if min(map(min, pads)) < 0:
        x, pads = _cropped(operator, draft, x, pads)
        if not any(map(any, pads)):
            return
    draft.emit("Pad", operator.name, [x], [output], pads=tuple(pads), mode=mode, value=value)


def _cropped(
    operator: Operator, draft: Draft, x: str, pads: list[tuple[int, int]]
) -> tuple[str, list[tuple[int, int]]]:
    """Emit the Slice of the negative pads; return its output and the pads that are left."""
    shape = draft.shape(x)
    left = [(max(before, 0), max(after, 0)) for before, after in pads]
    axes = tuple(axis for axis, pair in enumerate(pads) if min(pair) < 0)
    output = f"{operator.outputs[0]}/cropped" if any(map(any, left)) else operator.outputs[0]
    draft.emit(
        "Slice", f"{operator.name}/crop", [x], [output], axes=axes, steps=(1,) * len(axes),
        starts=tuple(max(-pads[axis][0], 0) for axis in axes),
        ends=tuple(shape[axis] + min(pads[axis][1], 0) for axis in axes),
    )  # fmt: skip
    return output, left


NORMALIZERS: dict[str, Normalizer] = {"Pad": pad}
