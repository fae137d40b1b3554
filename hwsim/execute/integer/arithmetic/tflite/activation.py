"""Functions of one code as tables: RELU and its kin, LEAKY_RELU, HARD_SWISH, LOGISTIC, TANH, GELU, EXP, and QUANTIZE of codes."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from hwsim.execute.float32.erf import erf
from hwsim.execute.integer.arithmetic._results import stored
from hwsim.execute.integer.arithmetic.tflite.tensors import (
    INT16,
    TYPES,
    activation_range,
    common_type,
    operand_type,
    scale_and_zero,
)
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import table
from hwsim.kernels.lookup import lookup
from hwsim.numerics.vector.tflite.fixed_point import multiplier_of, rescale
from hwsim.numerics.vector.tflite.hard_swish import hard_swish
from hwsim.numerics.vector.tflite.rescaling import float32_factor, float64_factor
from hwsim.numerics.vector.tflite.sigmoid_int16 import logistic_int16, tanh_int16
from hwsim.numerics.vector.tflite.table import RealFunction, logistic, table_entries


def _every_code(layer: Layer) -> np.ndarray:
    number = layer.grid(0).integers
    return np.arange(number.minimum, number.maximum + 1)


def _looked_up(
    layer: Layer,
    codes: np.ndarray,
    entries: np.ndarray,
    clamp: tuple[float | None, float | None] | None = None,
) -> list[np.ndarray]:
    """Return the results of ``codes``; ``entries`` are those of every code, before the clamp."""
    wide = lookup(codes, entries, layer.grid(0).integers.minimum)
    return [stored(layer, wide, activation_range(layer, clamp))]


def _rescaled(layer: Layer, factor: float) -> np.ndarray:
    """Return every code times ``factor`` on the result's grid, before the clamp."""
    centred = _every_code(layer) - layer.grid(0).zero_point[0]
    return rescale(centred, *multiplier_of(factor)) + layer.output_grid().zero_point[0]


def quantize(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """QUANTIZE of codes: rescaled onto another grid, which may be of another type."""
    if operand_type(layer) is None or layer.output_grid().format not in TYPES:
        return table(layer, operands)
    (scale, _), (output_scale, _) = scale_and_zero(layer.grid(0)), scale_and_zero(layer.output_grid())
    return _looked_up(layer, operands[0], _rescaled(layer, float64_factor(scale, output_scale)))


def rectifier(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """RELU, RELU6, RELU_N1_TO_1: rescaled and clamped."""
    if common_type(layer) is None:
        return table(layer, operands)
    attributes = layer.node.attributes
    ends = (0.0, None) if layer.node.op == "Relu" else (attributes["minimum"], attributes["maximum"])
    (scale, _), (output_scale, _) = scale_and_zero(layer.grid(0)), scale_and_zero(layer.output_grid())
    return _looked_up(layer, operands[0], _rescaled(layer, float32_factor(scale, 1.0, output_scale)), ends)


def leaky_relu(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """LEAKY_RELU: one factor from the zero point on, another below."""
    if common_type(layer) is None:
        return table(layer, operands)
    (scale, zero_point), (output_scale, _) = scale_and_zero(layer.grid(0)), scale_and_zero(layer.output_grid())
    identity = _rescaled(layer, float32_factor(scale, 1.0, output_scale))
    sloped = _rescaled(layer, float32_factor(scale, layer.node.attributes["alpha"], output_scale))
    entries = np.where(_every_code(layer) >= zero_point, identity, sloped)
    return _looked_up(layer, operands[0], entries)


def hard_swish_codes(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """HARD_SWISH of 8-bit codes, in 16-bit fixed point."""
    if common_type(layer) in (None, INT16):
        return table(layer, operands)
    (scale, zero_point), (output_scale, output_zero) = (
        scale_and_zero(layer.grid(0)),
        scale_and_zero(layer.output_grid()),
    )
    entries = hard_swish(_every_code(layer) - zero_point, scale, output_scale) + output_zero
    return _looked_up(layer, operands[0], entries)


def _gelu(layer: Layer) -> RealFunction:
    if layer.node.attributes["approximate"] == "tanh":
        return lambda x: 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
    return lambda x: 0.5 * x * (1 + erf(x / sqrt(2)))


FUNCTIONS: dict[str, Callable[[Layer], RealFunction]] = {
    "Sigmoid": lambda layer: logistic,
    "Tanh": lambda layer: np.tanh,
    "Gelu": _gelu,
    "Exp": lambda layer: np.exp,
}
WIDE_FUNCTIONS = {"Sigmoid": logistic_int16, "Tanh": tanh_int16}


def function(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """LOGISTIC, TANH, GELU, EXP of 8-bit codes through float32; LOGISTIC and TANH of symmetric 16-bit codes in integers."""
    number = common_type(layer)
    grids = layer.grid(0), layer.output_grid()
    if number == INT16:
        wide = WIDE_FUNCTIONS.get(layer.node.op)
        if wide is None or any(grid.zero_point[0] for grid in grids) or scale_and_zero(grids[1])[0] != 2.0**-15:
            return table(layer, operands)
        return _looked_up(layer, operands[0], wide(_every_code(layer), scale_and_zero(grids[0])[0]))
    if number is None:
        return table(layer, operands)
    of_grids = scale_and_zero(grids[0]), scale_and_zero(grids[1])
    return _looked_up(layer, operands[0], table_entries(FUNCTIONS[layer.node.op](layer), _every_code(layer), of_grids))


OPERATORS = {
    "Quantize": quantize,
    "Relu": rectifier,
    "Clip": rectifier,
    "LeakyRelu": leaky_relu,
    "HardSwish": hard_swish_codes,
    **dict.fromkeys(FUNCTIONS, function),
}
