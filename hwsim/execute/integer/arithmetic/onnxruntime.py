"""ONNX Runtime's operators on codes: the QLinear kernels for 8-bit tensors of one type, dequantized float32 for the rest.

A quantized graph computes these integers where ONNX Runtime fuses it (its default), see ``hwsim.numerics.vector.onnxruntime``.
Maxima, moves and tables of one operand are those of ``native``: they are the same. A layer's fused clamp acts on codes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from hwsim.execute.float32.pooling import counted as counted_elements
from hwsim.execute.float32.windows import windows
from hwsim.execute.integer.arithmetic._results import stored, table_of
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real
from hwsim.execute.integer.movement import move
from hwsim.execute.integer.requantize import code_range, counted
from hwsim.graph import passes_grid
from hwsim.kernels.layout import CHANNELS_LAST
from hwsim.kernels.vector.qlinear import bound_qlinear_add, qlinear_add, qlinear_mul
from hwsim.kernels.vector.qlinear_pool import bound_channel_means, qlinear_average_pool, qlinear_global_average_pool
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import float32
from hwsim.numerics.vector.onnxruntime import activation
from hwsim.numerics.vector.onnxruntime.add import add_constants, folded_operand
from hwsim.numerics.vector.onnxruntime.mul import mul_ratio
from hwsim.numerics.vector.onnxruntime.resize import has_mode, resize_linear, taps
from hwsim.numerics.vector.onnxruntime.softmax import exponentials, softmax_codes

T = TypeVar("T")
Bound = Callable[[], tuple[int, int]]
MAP_RANK = 4
KERNEL_TYPES = (IntFormat.parse("int8"), IntFormat.parse("uint8"))
FLOAT32 = Requantizer(scheme="float32")


def _has_kernel(layer: Layer) -> bool:
    """Whether every operand and the result are 8-bit codes of one type with one scale each."""
    grids = [layer.grid(index) for index in range(len(layer.node.inputs))] + [layer.output_grid()]
    return grids[0].format in KERNEL_TYPES and all(
        grid.format == grids[0].format and grid.granularity.axis is None for grid in grids
    )


def _kept(layer: Layer, make: Callable[[], T], key: str = "") -> T | None:
    """Return what ``make`` computes from the grids, once for every ``key``; None where ONNX Runtime has no kernel."""
    return layer.remembered(f"constants {key}", lambda: make() if _has_kernel(layer) else None)


def _scales(layer: Layer) -> tuple[float, float, float]:
    a, b, y = (float(grid.scales()[0]) for grid in (layer.grid(0), layer.grid(1), layer.output_grid()))
    return a, b, y


def _bounds(layer: Layer) -> tuple[int, int]:
    return code_range(layer.output_grid(), layer.node.clamp)


def _zero_points(layer: Layer) -> tuple[int, int, int]:
    a, b, y = (grid.zero_point[0] for grid in (layer.grid(0), layer.grid(1), layer.output_grid()))
    return a, b, y


def add(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Add: QLinearAdd."""
    kept = _kept(layer, lambda: (add_constants(_scales(layer), _zero_points(layer)), _bounds(layer)))
    if kept is None:
        return real(layer, operands)
    (a, b), (constants, bounds) = operands, kept
    return [counted(layer, qlinear_add(a, b, constants, folded_operand(a.shape, b.shape), *bounds))]


def bound_add(layer: Layer, operands: list[np.ndarray], result: np.ndarray) -> Bound | None:
    """Add, for operands of one shape; see ``bound``."""
    kept, (a, b) = layer.memory["constants "], operands
    if kept is None or folded_operand(a.shape, b.shape) is not None:
        return None
    constants, (low, high) = kept
    return bound_qlinear_add(a, b, constants, low, high, result)


def mul(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Mul: QLinearMul."""
    kept = _kept(layer, lambda: (mul_ratio(_scales(layer)), _zero_points(layer), _bounds(layer)))
    if kept is None:
        return real(layer, operands)
    (a, b), (ratio, zero_points, bounds) = operands, kept
    return [counted(layer, qlinear_mul(a, b, ratio, zero_points, *bounds))]


def concatenation(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Concat: what is on the grid of the result is copied, the rest is dequantized and quantized."""
    grid, axis = layer.output_grid(), layer.node.attributes["axis"]
    parts = []
    for index, codes in enumerate(operands):
        if layer.grid(index) != grid or layer.node.clamp != (None, None):
            codes = table_of(layer, index, codes, lambda values: values)
        parts.append(codes)
    batch = max(codes.shape[0] for codes in operands)
    if axis:
        parts = [np.broadcast_to(codes, (batch, *codes.shape[1:])) for codes in parts]
    return [np.concatenate(parts, axis=axis)]


def average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """AveragePool: QLinearAveragePool, which has no dilations."""
    if not _has_kernel(layer) or tuple(layer.node.attributes.get("dilations", (1, 1))) != (1, 1):
        return real(layer, operands)
    (codes,) = operands
    w = windows(layer.node, codes.shape[2], codes.shape[3])
    whole = np.full(w.count, math.prod(w.kernel))
    counts = whole if layer.node.attributes["count_include_pad"] else counted_elements(w, include_pad=False)
    own, output = ((float(grid.scales()[0]), grid.zero_point[0]) for grid in (layer.grid(0), layer.output_grid()))
    done = qlinear_average_pool(codes, w.kernel, w.strides, w.before, counts, (own, output), _bounds(layer))
    return [counted(layer, done)]


def global_average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """GlobalAveragePool: QLinearGlobalAveragePool, the exact sum times ``f32(sx / f32(sy * f32(n)))``."""
    (codes,) = operands
    kept = _mean_constants(layer, math.prod(codes.shape[2:]))
    if kept is None:
        return real(layer, operands)
    if codes.ndim != MAP_RANK:
        codes = codes.reshape(*codes.shape[:2], -1, 1)
    done = counted(layer, qlinear_global_average_pool(codes, *kept))
    return [done if codes is operands[0] else done.reshape(*done.shape[:2], *[1] * (operands[0].ndim - 2))]


def bound_global_average_pool(layer: Layer, operands: list[np.ndarray], result: np.ndarray) -> Bound | None:
    """GlobalAveragePool of a map whose channels lie innermost; see ``bound``."""
    (codes,) = operands
    kept = _mean_constants(layer, math.prod(codes.shape[2:]))
    if kept is None or codes.ndim != MAP_RANK or not result.flags.c_contiguous:
        return None
    channels_last = codes.transpose(CHANNELS_LAST)
    if not channels_last.flags.c_contiguous:
        return None
    return bound_channel_means(channels_last.reshape(-1), codes.shape, *kept, result.reshape(result.shape[:2]))


def _mean_constants(layer: Layer, count: int) -> tuple[np.float32, tuple[int, int], tuple[int, int]] | None:
    """Return multiplier, zero points and bounds of a mean of ``count`` elements; None where ONNX Runtime has no kernel."""

    def constants() -> tuple[np.float32, tuple[int, int], tuple[int, int]]:
        own, output = layer.grid(0), layer.output_grid()
        divisor = np.float32(output.scales()[0]) * np.float32(count)
        ratio = float32.real_scale(float(own.scales()[0]), np.ones(1, np.float32), float(divisor))
        multiplier = float32.constants(ratio, FLOAT32).multiplier[0]
        return multiplier, (own.zero_point[0], output.zero_point[0]), _bounds(layer)

    return _kept(layer, constants, f"of {count} elements")


def softmax(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Softmax: QLinearSoftmax."""
    axis, output = layer.node.attributes["axis"], layer.output_grid()
    moved = np.moveaxis(operands[0], axis, -1)
    length = moved.shape[-1]
    table = _kept(layer, lambda: exponentials(float(layer.grid(0).scales()[0]), length), f"of {length} elements")
    if table is None:
        return real(layer, operands)
    rows = moved.reshape(-1, length)
    codes = softmax_codes(rows, table, float(output.scales()[0]), output.zero_point[0])
    return [stored(layer, np.ascontiguousarray(np.moveaxis(codes.reshape(moved.shape), -1, axis)))]


def unary(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Sigmoid, Tanh and Exp, correctly rounded to float32 before they are quantized."""
    return [table_of(layer, 0, operands[0], activation.FUNCTIONS[layer.node.op])]


def resize(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Resize of 8-bit codes on one grid: linear cuts off, nearest only moves codes."""
    codes, attributes = operands[0], layer.node.attributes
    if passes_grid(layer.node):
        return move(layer, operands)
    mode = attributes["coordinate_transformation_mode"]
    if not _has_kernel(layer) or layer.grid(0) != layer.output_grid() or not has_mode(mode):
        return real(layer, operands)
    rows, columns = (
        taps(mode, size, outputs, scale)
        for size, outputs, scale in zip(codes.shape[2:], attributes["output_size"], attributes["scales"], strict=True)
    )
    return [stored(layer, resize_linear(codes, rows, columns))]


OPERATORS = {
    "Add": add,
    "Sub": real,
    "Sum": real,
    "Mul": mul,
    "Concat": concatenation,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "ReduceMean": real,
    "Resize": resize,
    "Softmax": softmax,
    **dict.fromkeys(activation.FUNCTIONS, unary),
}
BOUND = {add: bound_add, global_average_pool: bound_global_average_pool}
