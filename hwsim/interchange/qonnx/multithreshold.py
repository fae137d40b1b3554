"""MultiThreshold: the count of thresholds that are reached, scaled; its results are codes wherever a grid holds them."""

from __future__ import annotations

import re

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.qonnx.grids import Shape
from hwsim.interchange.reading.draft import Draft
from hwsim.numerics.formats import BIPOLAR, Format, IntFormat, bits_for_range
from hwsim.numerics.quant_params import QuantParams

_DATATYPE = re.compile(r"(U?)INT([1-9][0-9]?)")
_LAYOUTS = {2: "NC", 3: "NWC", 4: "NCHW"}  # what qonnx takes a tensor for that states none


def multi_threshold(operator: Operator, draft: Draft) -> None:
    """MultiThreshold: x, thresholds ``[channels or 1, count]``."""
    thresholds = draft.constant(operator.inputs[1], "thresholds").astype(np.float32)
    if thresholds.ndim != 2 or not thresholds.size:
        raise GraphError(f"its thresholds must be [channels, count], not {list(thresholds.shape)}")
    shape = draft.shape(operator.inputs[0])
    factor, offset = float(operator.get("out_scale", 1.0)), float(operator.get("out_bias", 0.0))
    axis = channel_axis(operator.get("data_layout", ""), shape)
    draft.emit(
        "MultiThreshold", operator.name, operator.inputs[:2], operator.outputs, axis=axis, factor=factor, offset=offset
    )
    grid = level_grid(thresholds.shape[1], factor, offset, operator.get("out_dtype", ""))
    if grid is not None:
        draft.grids[operator.outputs[0]] = grid


def channel_axis(layout: str, shape: Shape) -> int:
    """Return the dimension that holds the channels, as qonnx finds it.

    >>> channel_axis("NHWC", (1, 8, 8, 3)), channel_axis("", (1, 8, 3)), channel_axis("", (1, 3, 8, 8))
    (3, 2, 1)
    """
    named = layout or _LAYOUTS.get(len(shape), "")
    return named.index("C") if "C" in named else 1


def level_grid(count: int, factor: float, offset: float, datatype: str) -> QuantParams | None:
    """Return a grid that holds ``offset + factor * i`` for ``i = 0..count`` exactly as float32 has them, or None.

    Args:
        count: thresholds.
        factor: real units per threshold.
        offset: the real value of no threshold reached.
        datatype: QONNX's name of the result's type; its width is used where it holds the codes.

    >>> str(level_grid(15, 1.0, -8.0, "INT4").format), str(level_grid(1, 2.0, -1.0, "BIPOLAR").format)
    ('int4', 'bipolar')
    """
    levels = np.arange(count + 1, dtype=np.float32) * np.float32(factor) + np.float32(offset)
    if not factor > 0:
        return None
    if count == 1 and levels[0] == -levels[1]:
        return _exact(BIPOLAR, float(levels[1]), levels)
    first = round(offset / factor)
    return _exact(_holding(first, first + count, datatype), factor, levels)


def _exact(number: Format, scale: float, levels: np.ndarray) -> QuantParams | None:
    """Return the grid if it holds the levels."""
    grid = QuantParams(format=number, scale=(scale,))
    return grid if np.array_equal(grid.decode(grid.encode(levels)), levels) else None


def _holding(first: int, last: int, datatype: str) -> IntFormat:
    match = _DATATYPE.fullmatch(datatype)
    if match:
        stated = IntFormat(bits=int(match[2]), signed=not match[1])
        if stated.contains(first) and stated.contains(last):
            return stated
    if first >= 0:
        return IntFormat(bits=max(last.bit_length(), 1), signed=False)
    return IntFormat(bits=bits_for_range(first, last))
