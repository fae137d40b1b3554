"""Integer sums, products and concatenations: operands on grids of their own, rescaled to the result's grid."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.requantize import code_range, counted, to_codes
from hwsim.execute.integer.rescaling import is_moved_onto_output, operand_ratio, product_ratio, sum_ratios
from hwsim.kernels.rescale_sum import rescale_sum
from hwsim.numerics.requantizers import definition


def weighted_sum(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Add, Sub and Sum: each centred operand times its scale ratio, added, rounded once."""
    unit = layer.datapath.requantizer.unit
    grid = layer.output_grid()
    centred = [layer.centred(index, codes) for index, codes in enumerate(operands)]
    constants = definition(unit.scheme).sum_constants(sum_ratios(layer), unit)
    low, high = code_range(grid, layer.node.clamp)
    ends = grid.integers.operand_range
    return [counted(layer, rescale_sum(centred, constants, unit, grid.zero_point[0], low, high, ends=ends))]


def product(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Mul: the exact product of the centred operands, requantized by ``s_a * s_b / s_y``."""
    exact = layer.centred(0, operands[0]) * layer.centred(1, operands[1])
    return [to_codes(layer, exact, product_ratio(layer))]


def concatenation(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Concat: operands already on the result's grid are copied, the others requantized by ``s_x / s_y``."""
    axis = layer.node.attributes["axis"]
    batch = max(codes.shape[0] for codes in operands)
    parts = []
    for index, codes in enumerate(operands):
        if is_moved_onto_output(layer, index):
            codes = to_codes(layer, layer.centred(index, codes), np.array([operand_ratio(layer, index)]))
        parts.append(codes if axis == 0 else np.broadcast_to(codes, (batch, *codes.shape[1:])))
    return [np.concatenate(parts, axis=axis)]


OPERATORS = {
    "Add": weighted_sum,
    "Sub": weighted_sum,
    "Sum": weighted_sum,
    "Mul": product,
    "Concat": concatenation,
}
