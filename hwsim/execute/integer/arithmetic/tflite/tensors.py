"""What LiteRT's operators read of a layer: the type of its tensors, scales, zero points, the ends of a fused activation."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.vector.tflite.fixed_point import round_one

INT8, UINT8, INT16 = (IntFormat.parse(text) for text in ("int8", "uint8", "int16"))
TYPES = (INT8, UINT8, INT16)


def operand_type(layer: Layer) -> IntFormat | None:
    """Return the one type of all operands, or None where LiteRT has no kernel for them."""
    grids = [layer.grid(index) for index in range(len(layer.node.inputs))]
    number = grids[0].format
    same = all(grid.format == number and grid.granularity.axis is None for grid in grids)
    return number if same and isinstance(number, IntFormat) and number in TYPES else None


def common_type(layer: Layer) -> IntFormat | None:
    """Return the one type of all operands and the result, or None."""
    number, output = operand_type(layer), layer.output_grid()
    return number if output.format == number and output.granularity.axis is None else None


def scale_of(grid: QuantParams) -> float:
    """Return the scale of a per-tensor grid."""
    return float(grid.scales()[0])


def scale_and_zero(grid: QuantParams) -> tuple[float, int]:
    """Return scale and zero point of a per-tensor grid."""
    return scale_of(grid), grid.zero_point[0]


def activation_range(layer: Layer, clamp: tuple[float | None, float | None] | None = None) -> tuple[int, int]:
    """Return the smallest and largest code: the type's range, cut by the fused activation.

    An end becomes ``zero point + round(f32(end / scale))``, halves away from zero.

    Args:
        layer: whose result it is.
        clamp: ends in real units; the node's own by default.
    """
    grid = layer.output_grid()
    number, scale, zero_point = grid.integers, grid.scales()[0], grid.zero_point[0]
    low, high = layer.node.clamp if clamp is None else clamp
    ends = [
        None if end is None or not np.isfinite(end) else zero_point + round_one(float(np.float32(end) / scale))
        for end in (low, high)
    ]
    smallest = number.minimum if ends[0] is None else max(number.minimum, ends[0])
    largest = number.maximum if ends[1] is None else min(number.maximum, ends[1])
    return smallest, largest
