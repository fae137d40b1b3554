"""Scales found at run time, which ONNX has for 8 bits and whole tensors only (DynamicQuantizeLinear), in plain operators.

``hwsim.interchange.onnx.run_time_scales`` and ``hwsim.graph.fusion.run_time_scales`` read what is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwsim.graph import Node
from hwsim.interchange.onnx.write.sheet import Shape, Sheet
from hwsim.numerics.formats import IntFormat


def dynamic_quantize(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    """Write ``s = max|x| / maximum`` over the dimensions from ``axis`` on, 1 where that is not positive, and ``x / s``."""
    codes, scale = outputs
    sheet.note("scales found at run time are written as plain operators", node.name)

    def step(op: str, role: str, *operands: str, **attributes: Any) -> str:
        return sheet.emit(op, f"{node.name}/{role}", operands, [sheet.name(f"{node.name}/{role}")], **attributes)

    axes = range(node.attributes["axis"], len(shape))
    size = step("Abs", "size", inputs[0])
    if sheet.opset < 18:
        largest = step("ReduceMax", "largest", size, axes=list(axes), keepdims=1)
    else:
        operand = sheet.constant(f"{node.name}/axes", np.array(axes, dtype=np.int64))
        largest = step("ReduceMax", "largest", size, operand, keepdims=1)
    maximum = np.float32(IntFormat.parse(node.attributes["format"]).maximum)
    found = step("Div", "found", largest, sheet.constant(f"{node.name}/maximum", maximum))
    positive = step("Greater", "positive", found, sheet.constant(f"{node.name}/zero", np.float32(0)))
    one = sheet.constant(f"{node.name}/one", np.float32(1))
    sheet.emit("Where", f"{node.name}/scale", [positive, found, one], [scale])
    sheet.emit("Div", node.name, [inputs[0], scale], [codes])


def rescale(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    """Write a multiplication by the scale, and the sum with a bias where there is one."""
    if len(inputs) == 2:
        sheet.emit("Mul", node.name, inputs, outputs)
        return
    scaled = sheet.emit("Mul", f"{node.name}/scaled", inputs[:2], [sheet.name(f"{node.name}/scaled")])
    sheet.emit("Add", node.name, [scaled, inputs[2]], outputs)
