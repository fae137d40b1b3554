"""Operators without an integer form of their own: float32 on decoded codes, as a table where one input decides.

A table of ``2^bits`` entries and the float computation give the same codes, because both encode the same float32 values.
"""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.activation import clamp
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.execute.integer.layer import Layer
from hwsim.kernels.encode import encode
from hwsim.kernels.lookup import lookup

TABLE_BITS = 16


def table(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Unary operators: every input code is decoded, computed and encoded once; elements look their result up."""
    grid = layer.grid(0)
    if grid.format.bits > TABLE_BITS or grid.granularity.axis is not None:
        return real(layer, operands)

    def entries() -> np.ndarray:
        codes = np.arange(grid.integers.minimum, grid.integers.maximum + 1)
        with np.errstate(all="ignore"):
            values = FLOAT_OPS[layer.node.op](layer.node, [grid.decode(codes), *operands[1:]])[0]
        return layer.output_grid().encode(clamp(values, *layer.node.clamp))

    return [lookup(operands[0], layer.remembered("table", entries), grid.integers.minimum)]


def real(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Dequantize, compute in float32, quantize: what a vector unit with float lanes does."""
    decoded = [
        layer.grid(index).decode(codes) if _has_grid(layer, index) else codes for index, codes in enumerate(operands)
    ]
    with np.errstate(all="ignore"):
        results = FLOAT_OPS[layer.node.op](layer.node, decoded)
    low, high = layer.node.clamp
    return [_stored(layer, index, clamp(value, low, high)) for index, value in enumerate(results)]


def _stored(layer: Layer, index: int, value: np.ndarray) -> np.ndarray:
    return encode(layer.output_grid(index), value) if layer.output_is_coded(index) else value


def _has_grid(layer: Layer, index: int) -> bool:
    return layer.has_input(index) and layer.tensor(index).quant is not None
