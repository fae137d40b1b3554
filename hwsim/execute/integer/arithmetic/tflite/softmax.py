"""SOFTMAX of 8-bit and of 16-bit codes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.execute.integer.arithmetic._results import stored
from hwsim.execute.integer.arithmetic.tflite.tensors import INT8, INT16, UINT8, operand_type, scale_and_zero, scale_of
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real
from hwsim.numerics.vector.tflite.softmax import input_constants, softmax_codes
from hwsim.numerics.vector.tflite.softmax_int16 import softmax_int16

KERNELS = ((INT8, INT8), (UINT8, UINT8), (INT8, INT16), (UINT8, INT16))


def softmax(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """SOFTMAX: integers throughout. The result starts at the smallest code and has all bits of its type below 1.

    16-bit codes give a symmetric result in Q0.15. Other grids of the result have no kernel and take float32.
    """
    number, output = operand_type(layer), layer.output_grid()
    scale = scale_of(layer.grid(0))
    if (number, output.format) == (INT16, INT16) and scale_and_zero(output) == (2.0**-15, 0):
        return [_by_rows(layer, operands[0], lambda rows: softmax_int16(rows, scale))]
    if (number, output.format) not in KERNELS:
        return real(layer, operands)
    bits, smallest = output.integers.bits, output.integers.minimum
    if scale_and_zero(output) != (2.0**-bits, smallest):
        return real(layer, operands)
    constants = input_constants(scale)
    return [_by_rows(layer, operands[0], lambda rows: softmax_codes(rows, constants, bits) + smallest)]


def _by_rows(layer: Layer, codes: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return ``function`` of the rows along the node's axis, stored; it maps ``[rows, n]`` to codes before the clamp."""
    axis = layer.node.attributes["axis"]
    moved = np.moveaxis(codes, axis, -1)
    results = function(moved.reshape(-1, moved.shape[-1])).reshape(moved.shape)
    return stored(layer, np.ascontiguousarray(np.moveaxis(results, -1, axis)))


OPERATORS = {"Softmax": softmax}
