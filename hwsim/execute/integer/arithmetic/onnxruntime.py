"""ONNX Runtime's operators on codes: the QLinear kernels for 8-bit tensors of one type, dequantized float32 for the rest.

A quantized graph computes these integers where ONNX Runtime fuses it (its default), see ``hwsim.numerics.vector.onnxruntime``.
Maxima, moves and tables of one operand are those of ``native``: they are the same. A layer's fused clamp acts on codes.
"""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.pooling import counted as counted_elements
from hwsim.execute.float32.pooling import window_sum
from hwsim.execute.float32.windows import windows
from hwsim.execute.integer.arithmetic._results import stored, table_of
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real
from hwsim.execute.integer.movement import move
from hwsim.execute.integer.requantize import code_range, counted
from hwsim.graph import passes_grid
from hwsim.kernels.requantize import requantize
from hwsim.kernels.vector.qlinear import qlinear_add, qlinear_mul
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import float32
from hwsim.numerics.vector.onnxruntime import activation
from hwsim.numerics.vector.onnxruntime.add import add_constants, folded_operand
from hwsim.numerics.vector.onnxruntime.average_pool import average_codes, dequantized
from hwsim.numerics.vector.onnxruntime.mul import mul_ratio
from hwsim.numerics.vector.onnxruntime.resize import has_mode, resize_linear, taps
from hwsim.numerics.vector.onnxruntime.softmax import exponentials, softmax_codes

KERNEL_TYPES = (IntFormat.parse("int8"), IntFormat.parse("uint8"))
FLOAT32 = Requantizer(scheme="float32")


def _has_kernel(layer: Layer) -> bool:
    """Whether every operand and the result are 8-bit codes of one type with one scale each."""
    grids = [layer.grid(index) for index in range(len(layer.node.inputs))] + [layer.output_grid()]
    return grids[0].format in KERNEL_TYPES and all(
        grid.format == grids[0].format and grid.granularity.axis is None for grid in grids
    )


def _scales(layer: Layer) -> tuple[float, float, float]:
    a, b, y = (float(grid.scales()[0]) for grid in (layer.grid(0), layer.grid(1), layer.output_grid()))
    return a, b, y


def _zero_points(layer: Layer) -> tuple[int, int, int]:
    a, b, y = (grid.zero_point[0] for grid in (layer.grid(0), layer.grid(1), layer.output_grid()))
    return a, b, y


def add(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Add: QLinearAdd."""
    if not _has_kernel(layer):
        return real(layer, operands)
    a, b = operands
    constants = add_constants(_scales(layer), _zero_points(layer))
    bounds = code_range(layer.output_grid(), layer.node.clamp)
    return [counted(layer, qlinear_add(a, b, constants, folded_operand(a.shape, b.shape), *bounds))]


def mul(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Mul: QLinearMul."""
    if not _has_kernel(layer):
        return real(layer, operands)
    a, b = operands
    bounds = code_range(layer.output_grid(), layer.node.clamp)
    return [counted(layer, qlinear_mul(a, b, mul_ratio(_scales(layer)), _zero_points(layer), *bounds))]


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
    grid, output = layer.grid(0), layer.output_grid()
    w = windows(layer.node, codes.shape[2], codes.shape[3])
    sums = window_sum(dequantized(codes, float(grid.scales()[0]), grid.zero_point[0]), w, np.float32)
    whole = np.array(w.kernel[0] * w.kernel[1])
    counts = whole if layer.node.attributes["count_include_pad"] else counted_elements(w, include_pad=False)
    return [stored(layer, average_codes(sums, counts, float(output.scales()[0]), output.zero_point[0]))]


def global_average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """GlobalAveragePool: QLinearGlobalAveragePool, the exact sum times ``f32(sx / f32(sy * f32(n)))``."""
    if not _has_kernel(layer):
        return real(layer, operands)
    (codes,) = operands
    axes, grid = tuple(range(2, codes.ndim)), layer.output_grid()
    sums = codes.sum(axis=axes, keepdims=True, dtype=np.int64)
    count = codes[0, 0].size
    sums -= count * layer.grid(0).zero_point[0]
    divisor = np.float32(grid.scales()[0]) * np.float32(count)
    ratio = float32.real_scale(float(layer.grid(0).scales()[0]), np.ones(1, np.float32), float(divisor))
    bounds = code_range(grid, layer.node.clamp)
    done = requantize(sums.reshape(-1, 1), float32.constants(ratio, FLOAT32), FLOAT32, grid.zero_point[0], *bounds)
    return [counted(layer, done).reshape(sums.shape)]


def softmax(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Softmax: QLinearSoftmax."""
    if not _has_kernel(layer):
        return real(layer, operands)
    axis, output = layer.node.attributes["axis"], layer.output_grid()
    moved = np.moveaxis(operands[0], axis, -1)
    table = exponentials(float(layer.grid(0).scales()[0]), moved.shape[-1])
    rows = moved.reshape(-1, moved.shape[-1])
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
