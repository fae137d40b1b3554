"""I-BERT's operators: Erf, Gelu, Softmax, LayerNormalization and Sqrt in integers; the machine's requantizer ends each.

Any integer grid of up to 16 bits with one scale; what has no such operand or real-valued result stays ``native``.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real, table
from hwsim.execute.integer.requantize import to_codes
from hwsim.kernels.lookup import lookup
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.vector.ibert.gelu import integer_erf, integer_gelu
from hwsim.numerics.vector.ibert.layer_norm import Affine, integer_layer_norm, integer_sqrt
from hwsim.numerics.vector.ibert.polynomial import LARGEST
from hwsim.numerics.vector.ibert.softmax import RESULT_SCALE, integer_softmax

WIDEST_BITS = 16


def _fits(layer: Layer) -> bool:
    grids = layer.grid(0), layer.output_grid()
    return all(isinstance(grid.format, IntFormat) and grid.granularity.axis is None for grid in grids) and (
        grids[0].format.bits <= WIDEST_BITS
    )


def _requantized(layer: Layer, values: np.ndarray, scale: float) -> np.ndarray:
    """Return the output codes of integers whose unit is ``scale``."""
    return to_codes(layer, values, np.array([scale / float(layer.output_grid().scales()[0])]))


def unary(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Erf, Gelu and Sqrt: every code once, elements look their result up. Gelu's ``approximate`` makes no difference."""
    if not _fits(layer):
        return table(layer, operands)
    grid = layer.grid(0)
    number, zero_point, scale = grid.integers, grid.zero_point[0], float(grid.scales()[0])
    centred = np.arange(number.minimum, number.maximum + 1) - zero_point
    if layer.node.op == "Gelu":
        values, unit = integer_gelu(centred, scale, int(np.abs(centred).max()))
    elif layer.node.op == "Erf":
        values, unit = integer_erf(centred, scale)
    else:
        places = 2 * int(math.log2(LARGEST / max(1, int(centred.max()))) / 2)
        values = integer_sqrt(np.maximum(centred, 0) << places)
        unit = math.sqrt(math.ldexp(scale, -places))
    return [lookup(operands[0], _requantized(layer, values, unit), number.minimum)]


def softmax(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Softmax along the node's axis."""
    if not _fits(layer):
        return real(layer, operands)
    axis, moved = layer.node.attributes["axis"], np.moveaxis(operands[0], layer.node.attributes["axis"], -1)
    values = integer_softmax(moved.reshape(-1, moved.shape[-1]), float(layer.grid(0).scales()[0]))
    codes = _requantized(layer, values.reshape(moved.shape), RESULT_SCALE)
    return [np.ascontiguousarray(np.moveaxis(codes, -1, axis))]


def layer_normalization(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """LayerNormalization over the dimensions from the node's axis on, with real-valued constant weight and bias."""
    weights = [layer.tensor(index) for index in range(1, len(layer.node.inputs))]
    if not _fits(layer) or not all(tensor.is_constant and tensor.quant is None for tensor in weights):
        return real(layer, operands)
    codes, number = operands[0], layer.grid(0).integers
    rows = codes.reshape(math.prod(codes.shape[: layer.node.attributes["axis"]]), -1)
    weight, bias = (np.broadcast_to(array, codes.shape[layer.node.attributes["axis"] :]) for array in _affine(operands))
    affine = Affine.of(weight, bias)
    values = integer_layer_norm(rows, number.maximum - number.minimum, affine)
    return [_requantized(layer, values.reshape(codes.shape), affine.scale)]


def _affine(operands: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return operands[1], operands[2] if len(operands) > 2 else np.zeros(1)


OPERATORS = {
    "Erf": unary,
    "Gelu": unary,
    "Sqrt": unary,
    "Softmax": softmax,
    "LayerNormalization": layer_normalization,
}
