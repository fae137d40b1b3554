"""RESIZE_BILINEAR."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.arithmetic._results import stored
from hwsim.execute.integer.arithmetic.tflite.tensors import UINT8, activation_range, common_type, scale_and_zero
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real
from hwsim.execute.integer.movement import move
from hwsim.graph import passes_grid
from hwsim.numerics.vector.tflite.resize import float_places, integer_places, resize_bilinear

MODES = {
    "asymmetric": {"align_corners": False, "half_pixel": False},
    "align_corners": {"align_corners": True, "half_pixel": False},
    "half_pixel": {"align_corners": False, "half_pixel": True},
}


def resize(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """RESIZE_BILINEAR of ``[batch, channels, height, width]`` onto the same grid; nearest only moves codes."""
    codes, node = operands[0], layer.node
    if passes_grid(node):
        return move(layer, operands)
    number = common_type(layer)
    mode = MODES.get(node.attributes["coordinate_transformation_mode"])
    if number is None or mode is None or scale_and_zero(layer.grid(0)) != scale_and_zero(layer.output_grid()):
        return real(layer, operands)
    places = float_places if number == UINT8 else integer_places
    rows, columns = (
        places(size, outputs, **mode)
        for size, outputs in zip(codes.shape[2:], node.attributes["output_size"], strict=True)
    )
    return [stored(layer, resize_bilinear(codes, rows, columns), activation_range(layer))]


OPERATORS = {"Resize": resize}
