"""ADD, SUB, MUL, PRELU, CONCATENATION."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer import elementwise
from hwsim.execute.integer.arithmetic._results import stored
from hwsim.execute.integer.arithmetic.tflite.tensors import (
    UINT8,
    activation_range,
    common_type,
    scale_and_zero,
    scale_of,
)
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real
from hwsim.execute.integer.requantize import counted
from hwsim.kernels.requantize import requantize
from hwsim.kernels.rescale_sum import rescale_sum
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants
from hwsim.numerics.vector.tflite.fixed_point import multiplier_of, rescale, round_half_away
from hwsim.numerics.vector.tflite.rescaling import float32_factor, float64_factor, sum_constants

DOUBLE_ROUNDING = Requantizer(scheme="tflite_double")


def weighted_sum(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """ADD and SUB: both operands raised and rescaled to twice the larger scale, added, rescaled."""
    number = common_type(layer)
    if number is None:
        return elementwise.weighted_sum(layer, operands)
    output = layer.output_grid()
    scales = (scale_of(layer.grid(0)), scale_of(layer.grid(1)), scale_of(output))
    constants = sum_constants(scales, number.bits, subtract=layer.node.op == "Sub")
    centred = [layer.centred(index, codes) for index, codes in enumerate(operands)]
    bounds = activation_range(layer)
    return [counted(layer, rescale_sum(centred, constants, DOUBLE_ROUNDING, output.zero_point[0], *bounds))]


def product(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MUL: the exact product of the centred codes, rescaled."""
    if common_type(layer) is None:
        return elementwise.product(layer, operands)
    output = layer.output_grid()
    factor = float32_factor(scale_of(layer.grid(0)), scale_of(layer.grid(1)), scale_of(output))
    exact = layer.centred(0, operands[0]) * layer.centred(1, operands[1])
    multiplier, shift = (np.array([value], np.int64) for value in multiplier_of(factor))
    constants = Constants(multiplier=multiplier, shift=shift)
    done = requantize(exact.reshape(-1, 1), constants, DOUBLE_ROUNDING, output.zero_point[0], *activation_range(layer))
    return [counted(layer, done).reshape(exact.shape)]


def prelu(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """PRELU: codes from the zero point on are rescaled, the others multiplied with their slope first."""
    if layer.tensor(1).quant is None or common_type(layer) is None:
        return real(layer, operands)
    scale, slope_scale, output = scale_of(layer.grid(0)), scale_of(layer.grid(1)), layer.output_grid()
    x, slope = layer.centred(0, operands[0]), layer.centred(1, operands[1])
    identity = multiplier_of(float32_factor(scale, 1.0, scale_of(output)))
    sloped = multiplier_of(float32_factor(scale, slope_scale, scale_of(output)))
    wide = np.where(x >= 0, rescale(x, *identity), rescale(x * slope, *sloped)) + output.zero_point[0]
    return [stored(layer, wide, activation_range(layer))]


def concatenation(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """CONCATENATION: operands on the grid of the result are copied, others moved onto it.

    LiteRT does that for uint8, in float32. For signed types its converter puts a QUANTIZE before the operator; so do we.
    """
    number = common_type(layer)
    if number is None:
        return elementwise.concatenation(layer, operands)
    axis, output = layer.node.attributes["axis"], layer.output_grid()
    move = _moved_float if number == UINT8 else _moved
    parts = []
    for index, codes in enumerate(operands):
        own = layer.grid(index)
        same = scale_and_zero(own) == scale_and_zero(output)
        wide = codes if same else move(codes, own, output)
        parts.append(stored(layer, wide, activation_range(layer)))
    batch = max(codes.shape[0] for codes in operands)
    if axis:
        parts = [np.broadcast_to(codes, (batch, *codes.shape[1:])) for codes in parts]
    return [np.concatenate(parts, axis=axis)]


def _moved(codes: np.ndarray, own: QuantParams, output: QuantParams) -> np.ndarray:
    """Return codes on the grid ``output`` before they are clamped: QUANTIZE of codes."""
    constants = multiplier_of(float64_factor(scale_of(own), scale_of(output)))
    return rescale(codes.astype(np.int64) - own.zero_point[0], *constants) + output.zero_point[0]


def _moved_float(codes: np.ndarray, own: QuantParams, output: QuantParams) -> np.ndarray:
    """Return ``round(f32(f32(code * r) + f32(-zx * r))) + zy`` with ``r = f32(sx * f32(1 / sy))``."""
    ratio = np.float32(scale_of(own)) * (np.float32(1) / np.float32(scale_of(output)))
    bias = np.float32(-own.zero_point[0]) * ratio
    rounded = round_half_away(codes.astype(np.float32) * ratio + bias)
    return np.asarray(rounded.astype(np.int64) + output.zero_point[0])


OPERATORS = {"Add": weighted_sum, "Sub": weighted_sum, "Mul": product, "PRelu": prelu, "Concat": concatenation}
