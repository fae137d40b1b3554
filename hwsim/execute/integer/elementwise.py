"""Integer sums, products and concatenations: operands on grids of their own, rescaled to the result's grid."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.requantize import code_range, counted, scale_ratio, to_codes
from hwsim.kernels.rescale_sum import rescale_sum
from hwsim.numerics.requantizers import definition


def weighted_sum(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Add, Sub and Sum: each centred operand times its scale ratio, added, rounded once."""
    unit = layer.datapath.requantizer.unit
    grid = layer.output_grid()
    signs = [1.0] * len(operands)
    if layer.node.op == "Sub":
        signs[1] = -1.0
    ratios = [sign * _ratio(layer, index) for index, sign in enumerate(signs)]
    centred = [layer.centred(index, codes) for index, codes in enumerate(operands)]
    constants = definition(unit.scheme).sum_constants(np.asarray(ratios), unit)
    low, high = code_range(grid, layer.node.clamp)
    ends = grid.integers.operand_range
    return [counted(layer, rescale_sum(centred, constants, unit, grid.zero_point[0], low, high, ends=ends))]


def product(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Mul: the exact product of the centred operands, requantized by ``s_a * s_b / s_y``."""
    exact = layer.centred(0, operands[0]) * layer.centred(1, operands[1])
    first, second, output = (grid.scales() for grid in (layer.grid(0), layer.grid(1), layer.output_grid()))
    scale = scale_ratio(layer, float(first[0]), second, float(output[0]))
    return [to_codes(layer, exact, scale)]


def concatenation(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Concat: operands already on the result's grid are copied, the others requantized by ``s_x / s_y``."""
    axis, grid = layer.node.attributes["axis"], layer.output_grid()
    batch = max(codes.shape[0] for codes in operands)
    parts = []
    for index, codes in enumerate(operands):
        if layer.grid(index) != grid or layer.node.clamp != (None, None):
            codes = to_codes(layer, layer.centred(index, codes), np.array([_ratio(layer, index)]))
        parts.append(codes if axis == 0 else np.broadcast_to(codes, (batch, *codes.shape[1:])))
    return [np.concatenate(parts, axis=axis)]


def _ratio(layer: Layer, index: int) -> float:
    """Return the scale of input ``index`` over that of the output."""
    own, output = layer.grid(index).scales(), layer.output_grid().scales()
    return float(scale_ratio(layer, float(own[0]), np.ones(1, dtype=np.float32), float(output[0]))[0])


OPERATORS = {
    "Add": weighted_sum,
    "Sub": weighted_sum,
    "Sum": weighted_sum,
    "Mul": product,
    "Concat": concatenation,
}
