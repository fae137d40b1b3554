"""Operators that the file applies to the integers themselves: they join, pad, clip and pick codes."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.cut import gather, slice_, split
from hwsim.interchange.onnx.normalize.elementwise import concat
from hwsim.interchange.onnx.normalize.identity import dropout, expand, identity
from hwsim.interchange.onnx.normalize.padding import pad
from hwsim.interchange.onnx.normalize.pooling import pool
from hwsim.interchange.onnx.normalize.reshaping import (
    depth_to_space,
    flatten,
    reshape,
    squeeze,
    transpose,
    unsqueeze,
)
from hwsim.interchange.onnx.normalize.resize import any_resize, old_resize
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import constant_on, put_on, raw
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import codes_of


def concat_codes(operator: Operator, draft: Draft) -> None:
    """Concat of integers: on the grid that all operands share, else as plain integers."""
    inputs = [name for name in operator.inputs if name]
    grids = {draft.grids[name] for name in inputs if name not in draft.constants}
    if len(grids) == 1:
        grid = grids.pop()
        inputs = [constant_on(draft, name, grid) if name in draft.constants else name for name in inputs]
    else:
        inputs = [raw(draft, name) for name in inputs]
        grid = draft.grids[inputs[0]]
    concat(operator.changed(inputs=tuple(inputs)), draft)
    if len(inputs) > 1:
        put_on(draft, operator.outputs[0], grid)


def pad_codes(operator: Operator, draft: Draft) -> None:
    """Pad of integers: the pad value is a code (0 where the file gives none), which stands for a real number on the grid."""
    x, output = operator.inputs[0], operator.outputs[0]
    grid = draft.grids[x]
    if operator.get("mode", "constant") == "constant":
        if grid.granularity.axis is not None:
            raise GraphError("integers with a scale per channel cannot be padded with one value; dequantize them first")
        code = np.zeros(1, np.int64)
        if operator.has(2):
            draft.constant(operator.inputs[2], "value")
            code = codes_of(draft.constants[operator.inputs[2]], grid.format).reshape(-1)
        real = float(grid.decode(code)[0])
        operator = operator.changed(attributes={**operator.attributes, "value": real})
    pad(operator, draft)
    if output in draft.producer:
        put_on(draft, output, grid)


def clip_codes(operator: Operator, draft: Draft) -> None:
    """Clip of integers behind a quantizer (quantize, clip, dequantize): of the real numbers in front of it, which is the same."""
    x, output = operator.inputs[0], operator.outputs[0]
    grid = draft.grids[x]
    if grid.granularity.axis is not None:
        raise GraphError("integers with a scale per channel cannot be clipped to one range; dequantize them first")
    ends: list[float | None] = [None, None]
    for index in (1, 2):
        if operator.has(index):
            draft.constant(operator.inputs[index], "min" if index == 1 else "max")
            code = codes_of(draft.constants[operator.inputs[index]], grid.format).reshape(-1)
            ends[index - 1] = float(grid.decode(code)[0])
    quantizer = draft.producer.get(x)
    source = quantizer.inputs[0] if quantizer is not None and quantizer.op == "Quantize" else x
    clipped = draft.free_name(f"{output}/real")
    draft.emit("Clip", operator.name, [source], [clipped], minimum=ends[0], maximum=ends[1])
    draft.emit("Quantize", f"{operator.name}/quantize", [clipped], [output])
    put_on(draft, output, grid)


def resize_codes(operator: Operator, draft: Draft) -> None:
    """Resize of integers: neighbours are picked, or interpolated and put on the grid again.

    ONNX Runtime cuts off what it interpolates between integers (``--runtime onnxruntime``); elsewhere it is rounded.
    """
    grid = draft.grids[operator.inputs[0]]
    (any_resize if operator.op == "Resize" else old_resize)(operator, draft)
    if operator.get("mode", "nearest") != "nearest":
        if grid.granularity.axis not in (None, 1):
            raise GraphError("integers with scales per row or column cannot be interpolated; dequantize them first")
        put_on(draft, operator.outputs[0], grid)


OF_CODES: dict[str, Normalizer] = {
    "Concat": concat_codes,
    "Pad": pad_codes,
    "Resize": resize_codes,
    "Upsample": resize_codes,
    "Clip": clip_codes,
    "MaxPool": pool,
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "DepthToSpace": depth_to_space,
    "Slice": slice_,
    "Split": split,
    "Gather": gather,
    "Identity": identity,
    "Dropout": dropout,
    "Expand": expand,
}
