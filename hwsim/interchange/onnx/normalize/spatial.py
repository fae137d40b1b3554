"""Kernels, strides and pads of windowed operators; 1-D ones are lifted to height 1."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import GraphError
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import text

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A windowed operator's input in four dimensions.

    Args:
        tensor: ``[batch, channels, height, width]``.
        shape: its shape.
        flat: whether the model has one spatial dimension and the result must lose its height again.
    """

    tensor: str
    shape: tuple[int, ...]
    flat: bool

    def pair(self, operator: Operator, key: str, default: int) -> Pair:
        """Return attribute ``key`` as (height, width); a height that the model lacks gets ``default``."""
        rank = 1 if self.flat else 2
        values = tuple(operator.get(key) or (default,) * rank)
        if len(values) != rank:
            raise GraphError(f"{key} {text(values)} must have {rank} numbers")
        height, width = (default, *values) if self.flat else values
        return int(height), int(width)


def lift(operator: Operator, draft: Draft) -> Lifted:
    """Return the first input with two spatial dimensions; insert an Unsqueeze where it has one."""
    tensor = operator.inputs[0]
    shape = draft.shape(tensor)
    if len(shape) == 3:
        lifted = f"{operator.outputs[0]}/unsqueezed"
        draft.emit("Unsqueeze", f"{operator.name}/unsqueeze", [tensor], [lifted], axes=(2,))
        return Lifted(tensor=lifted, shape=draft.shape(lifted), flat=True)
    if len(shape) == 5:
        raise GraphError(f"3-D operators are not supported, its input is {text(shape)}; use 1-D or 2-D operators")
    if len(shape) != 4:
        raise GraphError(f"its input must be [batch, channels, height, width], not {text(shape)}")
    return Lifted(tensor=tensor, shape=shape, flat=False)


def emit_lifted(
    operator: Operator, draft: Draft, lifted: Lifted, inputs: list[str], op: str | None = None, **attributes: object
) -> None:
    """Emit the 2-D node, and the Squeeze behind it where the model has one spatial dimension."""
    output = operator.outputs[0]
    target = f"{output}/lifted" if lifted.flat else output
    draft.emit(op or operator.op, operator.name, inputs, [target], **attributes)
    if lifted.flat:
        draft.emit("Squeeze", f"{operator.name}/squeeze", [target], [output], axes=(2,))


def explicit_pads(
    operator: Operator, lifted: Lifted, kernel: Pair, strides: Pair, dilations: Pair
) -> tuple[int, int, int, int]:
    """Return pads (top, left, bottom, right), with auto_pad resolved for the sizes at hand."""
    mode = operator.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        pads = tuple(int(pad) for pad in operator.get("pads") or (0,) * (2 if lifted.flat else 4))
        if lifted.flat and len(pads) == 2:
            pads = (0, pads[0], 0, pads[1])
        if len(pads) != 4 or min(pads) < 0:
            raise GraphError(f"pads {text(pads)} must be two non-negative numbers for each spatial dimension")
        return pads[0], pads[1], pads[2], pads[3]
    if mode == "VALID":
        return 0, 0, 0, 0
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise GraphError(f"auto_pad must be NOTSET, SAME_UPPER, SAME_LOWER or VALID, not {mode!r}")
    before, after = [], []
    for size, extent, stride, dilation in zip(lifted.shape[2:], kernel, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + dilation * (extent - 1) + 1 - size, 0)
        small, large = total // 2, total - total // 2
        before.append(small if mode == "SAME_UPPER" else large)
        after.append(large if mode == "SAME_UPPER" else small)
    return before[0], before[1], after[0], after[1]
