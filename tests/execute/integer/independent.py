"""A second model of the quantized digit networks: plain numpy int64 and Python integers, nothing of hwsim's executor.

It reads only the graph's grids and weights and follows the documented rules: centred products, int32 bias, one fixed-point
multiplication per channel with a rounding shift (halves up), or one float32 multiplication (half to even).
"""

from __future__ import annotations

import math

import numpy as np


def run(graph, images, scheme, multiplier_bits=32):
    """Return the codes of every tensor, int64, by name."""
    values = {}
    for name in graph.inputs:
        values[name] = encode(images, graph.tensors[name].quant)
    for node in graph.nodes:
        values[node.outputs[0]] = OPERATORS[node.op](graph, node, values, (scheme, multiplier_bits))
    return values


def encode(real, grid):
    if grid.granularity.axis is None:
        scale, zero = np.float32(grid.scale[0]), grid.zero_point[0]
    else:
        shape = [-1 if axis == grid.granularity.axis else 1 for axis in range(np.ndim(real))]
        scale = np.array(grid.scale, dtype=np.float32).reshape(shape)
        zero = np.array(grid.zero_point).reshape(shape)
    codes = np.round((np.asarray(real, dtype=np.float32) / scale).astype(np.float64)) + zero
    top = 2 ** (grid.format.bits - (1 if grid.format.signed else 0)) - 1
    bottom = -(2 ** (grid.format.bits - 1)) if grid.format.signed else 0
    return np.clip(codes, bottom, top).astype(np.int64)


def constant(tensor):
    """Return the codes of a weight or bias: those chosen by a method, else the nearest ones."""
    return encode(tensor.data, tensor.quant) if tensor.codes is None else tensor.codes.astype(np.int64)


def multiplier(first, second, output, unit):
    scheme, bits = unit
    if scheme == "float32":
        return np.float32(np.float32(np.float32(first) * np.float32(second)) / np.float32(output))
    real = float(first) * float(second) / float(output)
    mantissa, exponent = math.frexp(real)
    integer = math.floor(mantissa * 2 ** (bits - 1) + 0.5)
    if integer == 2 ** (bits - 1):
        integer, exponent = integer // 2, exponent + 1
    return integer, bits - 1 - exponent


def scaled(value, factor):
    """Return value * factor, rounded to an integer."""
    if isinstance(factor, tuple):
        product, shift = int(value) * factor[0], factor[1]
        return (product + (1 << (shift - 1))) >> shift if shift > 0 else product << -shift
    return int(np.rint(np.float32(np.float32(value) * factor)))


def finish(values, grid, clamp):
    """Add the zero point and clamp to the format and to the fused activation."""
    bounds = (
        [0, 2**grid.format.bits - 1]
        if not grid.format.signed
        else [-(2 ** (grid.format.bits - 1)), 2 ** (grid.format.bits - 1) - 1]
    )
    for end, limit in enumerate(clamp):
        if limit is not None:
            bounds[end] = int(encode(np.array([limit]), grid)[0])
    return np.clip(values + grid.zero_point[0], *bounds)


def conv(graph, node, values, unit):
    x_grid, w_grid = (graph.tensors[name].quant for name in node.inputs[:2])
    out_grid = graph.tensors[node.outputs[0]].quant
    x = values[node.inputs[0]] - x_grid.zero_point[0]
    weight = constant(graph.tensors[node.inputs[1]])
    bias = constant(graph.tensors[node.inputs[2]])
    (sy, sx), (top, left, bottom, right) = node.attributes["strides"], node.attributes["pads"]
    groups = node.attributes["groups"]
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    out_channels, per_group, kernel_h, kernel_w = weight.shape
    out_h, out_w = (x.shape[2] - kernel_h) // sy + 1, (x.shape[3] - kernel_w) // sx + 1
    result = np.zeros((len(x), out_channels, out_h, out_w), dtype=np.int64)
    for channel in range(out_channels):
        group = channel // (out_channels // groups)
        sums = np.zeros((len(x), out_h, out_w), dtype=np.int64) + bias[channel]
        for c in range(per_group):
            for i in range(kernel_h):
                for j in range(kernel_w):
                    plane = x[:, group * per_group + c, i : i + sy * out_h : sy, j : j + sx * out_w : sx]
                    sums += plane[:, :out_h, :out_w] * weight[channel, c, i, j]
        scale = w_grid.scale[channel if len(w_grid.scale) > 1 else 0]
        factor = multiplier(x_grid.scale[0], scale, out_grid.scale[0], unit)
        result[:, channel] = np.vectorize(lambda value, factor=factor: scaled(value, factor), otypes=[np.int64])(sums)
    return finish(result, out_grid, node.clamp)


def gemm(graph, node, values, unit):
    x_grid, w_grid = (graph.tensors[name].quant for name in node.inputs[:2])
    out_grid = graph.tensors[node.outputs[0]].quant
    x = values[node.inputs[0]] - x_grid.zero_point[0]
    weight = constant(graph.tensors[node.inputs[1]])
    sums = x @ weight + constant(graph.tensors[node.inputs[2]])
    columns = []
    for n in range(weight.shape[1]):
        factor = multiplier(x_grid.scale[0], w_grid.scale[n if len(w_grid.scale) > 1 else 0], out_grid.scale[0], unit)
        columns.append([scaled(value, factor) for value in sums[:, n]])
    return finish(np.array(columns, dtype=np.int64).T, out_grid, node.clamp)


def add(graph, node, values, unit):
    grids = [graph.tensors[name].quant for name in node.inputs]
    out_grid = graph.tensors[node.outputs[0]].quant
    operands = [values[name] - grid.zero_point[0] for name, grid in zip(node.inputs, grids, strict=True)]
    if unit[0] == "float32":
        terms = [
            x.astype(np.float32) * np.float32(np.float32(grid.scale[0]) / np.float32(out_grid.scale[0]))
            for x, grid in zip(operands, grids, strict=True)
        ]
        return finish(np.rint(terms[0] + terms[1]).astype(np.int64), out_grid, node.clamp)
    ratios = [float(grid.scale[0]) / float(out_grid.scale[0]) for grid in grids]
    _, shift = multiplier(max(ratios), 1.0, 1.0, unit)
    integers = [math.floor(ratio * 2.0**shift + 0.5) for ratio in ratios]
    total = sum(x * m for x, m in zip(operands, integers, strict=True))
    return finish((total + (1 << (shift - 1))) >> shift, out_grid, node.clamp)


def global_average_pool(graph, node, values, unit):
    grid, out_grid = graph.tensors[node.inputs[0]].quant, graph.tensors[node.outputs[0]].quant
    x = values[node.inputs[0]] - grid.zero_point[0]
    sums = x.sum(axis=(2, 3), keepdims=True)
    if unit[0] == "float32":
        factor = np.float32(
            np.float32(grid.scale[0]) / np.float32(np.float32(out_grid.scale[0]) * np.float32(x[0, 0].size))
        )
    else:
        factor = multiplier(grid.scale[0], 1.0, float(out_grid.scale[0]) * x[0, 0].size, unit)
    return finish(np.vectorize(lambda value: scaled(value, factor), otypes=[np.int64])(sums), out_grid, node.clamp)


def flatten(graph, node, values, unit):
    x = values[node.inputs[0]]
    return x.reshape(len(x), -1)


OPERATORS = {"Conv": conv, "Gemm": gemm, "Add": add, "GlobalAveragePool": global_average_pool, "Flatten": flatten}
