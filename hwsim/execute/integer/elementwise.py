"""Integer sums, products and concatenations: operands on grids of their own, rescaled to the result's grid."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.requantize import code_range, real_multiplier, to_codes
from hwsim.kernels.rescale_sum import rescale_sum
from hwsim.numerics.requantizers import definition


def weighted_sum(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Add, Sub and Sum: each centred operand times its scale ratio, added, rounded once."""
    unit = layer.datapath.requantizer.unit
    grid = layer.output_grid()
    signs = [1.0] * len(operands)
    if layer.node.op == "Sub":
        signs[1] = -1.0
    ratios = [
        sign * real_multiplier(unit.scheme, [layer.grid(index).scales()], grid.scales())[0]
        for index, sign in enumerate(signs)
    ]
    shape = np.broadcast_shapes(*(codes.shape for codes in operands))
    centred = np.stack(
        [np.broadcast_to(layer.centred(index, codes), shape).reshape(-1) for index, codes in enumerate(operands)]
    )
    low, high = code_range(grid, layer.node.clamp)
    constants = definition(unit.scheme).sum_constants(np.asarray(ratios), unit)
    codes, clipped = rescale_sum(centred, constants, unit, zero_point=grid.zero_point[0], low=low, high=high)
    layer.counters.clipped += clipped
    layer.counters.requantized += codes.size
    return [codes.reshape(shape).astype(grid.storage_dtype)]


def product(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Mul: the exact product of the centred operands, requantized by ``s_a * s_b / s_y``."""
    exact = layer.centred(0, operands[0]) * layer.centred(1, operands[1])
    scales = [layer.grid(0).scales(), layer.grid(1).scales()]
    scale = real_multiplier(layer.datapath.requantizer.scheme, scales, layer.output_grid().scales())
    return [to_codes(layer, exact, scale)]


def concatenation(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Concat: operands already on the result's grid are copied, the others requantized by ``s_x / s_y``."""
    axis, grid = layer.node.attributes["axis"], layer.output_grid()
    batch = max(codes.shape[0] for codes in operands)
    parts = []
    for index, codes in enumerate(operands):
        if layer.grid(index) != grid or layer.node.clamp != (None, None):
            scale = real_multiplier(layer.datapath.requantizer.scheme, [layer.grid(index).scales()], grid.scales())
            codes = to_codes(layer, layer.centred(index, codes), scale)
        parts.append(codes if axis == 0 else np.broadcast_to(codes, (batch, *codes.shape[1:])))
    return [np.concatenate(parts, axis=axis)]


OPERATORS = {
    "Add": weighted_sum,
    "Sub": weighted_sum,
    "Sum": weighted_sum,
    "Mul": product,
    "Concat": concatenation,
}
