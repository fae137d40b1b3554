"""Convolutions on the array: the im2col view of codes, group by group."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.windows import Windows, windows
from hwsim.execute.integer.array import array_product, requantized
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.prepared import Prepared, prepared
from hwsim.graph import Node
from hwsim.kernels.gemm import Plan, Window, plan_convolution
from hwsim.kernels.im2col import im2col


def convolution(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Conv: codes ``[batch, channels, height, width]`` and ``[out, channels / groups, kh, kw]``."""
    x, weight = operands[:2]
    groups = layer.node.attributes["groups"]
    proven = prepared(layer, weight, lambda: _bias(layer, operands, groups), groups)
    if proven is not None:
        return [proven.run(layer, x, lambda ready: _plan(layer, x, ready))]
    geometry = windows(layer.node, x.shape[2], x.shape[3])
    out_channels = weight.shape[0]
    kernels = weight.reshape(groups, out_channels // groups, -1).transpose(0, 2, 1)
    return [_convolve(layer, x, geometry, kernels, _bias(layer, operands, groups))]


def transposed_convolution(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """ConvTranspose as the convolution of the zero-inserted input with the flipped kernel (inserted zeros are multiplied)."""
    x, weight = operands[:2]
    node = layer.node
    groups = node.attributes["groups"]
    in_channels, out_per_group = weight.shape[:2]
    flipped = weight[:, :, ::-1, ::-1].reshape(groups, in_channels // groups, out_per_group, -1)
    kernels = flipped.transpose(0, 1, 3, 2).reshape(groups, -1, out_per_group)
    spread = insert_zeros(x, node.attributes["strides"], _zeros(layer, x))
    geometry = windows(equivalent_convolution(node), spread.shape[2], spread.shape[3])
    spread, geometry = _cropped(spread, node, geometry)
    return [_convolve(layer, spread, geometry, kernels, _bias(layer, operands, groups))]


def insert_zeros(x: np.ndarray, strides: tuple[int, int], fill: np.ndarray | int) -> np.ndarray:
    """Return ``x`` with ``stride - 1`` elements of real 0 (code ``fill``, one or per channel) between neighbours."""
    batch, channels, height, width = x.shape
    shape = (batch, channels, (height - 1) * strides[0] + 1, (width - 1) * strides[1] + 1)
    result = np.empty(shape, dtype=x.dtype)
    result[...] = fill
    result[:, :, :: strides[0], :: strides[1]] = x
    return result


def equivalent_convolution(node: Node) -> Node:
    """Return the stride-1 Conv that a ConvTranspose is on its zero-inserted input; pads may be negative (a crop)."""
    kernel, dilations = node.attributes["kernel"], node.attributes["dilations"]
    top, left, bottom, right = node.attributes["pads"]
    extra = node.attributes["output_padding"]
    reach = [dilations[i] * (kernel[i] - 1) for i in (0, 1)]
    pads = (reach[0] - top, reach[1] - left, reach[0] - bottom + extra[0], reach[1] - right + extra[1])
    return node.with_attributes(strides=(1, 1), pads=pads)


def _cropped(x: np.ndarray, node: Node, geometry: Windows) -> tuple[np.ndarray, Windows]:
    """Replace negative pads by cropping the input."""
    pads = equivalent_convolution(node).attributes["pads"]
    top, left, bottom, right = (max(-pad, 0) for pad in pads)
    if not any((top, left, bottom, right)):
        return x, geometry
    x = x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]
    kept = equivalent_convolution(node).with_attributes(pads=tuple(max(pad, 0) for pad in pads))
    return x, windows(kept, x.shape[2], x.shape[3])


def _plan(layer: Layer, x: np.ndarray, ready: Prepared) -> Plan:
    geometry = windows(layer.node, x.shape[2], x.shape[3])
    window = Window(
        kernel=geometry.kernel,
        strides=geometry.strides,
        dilations=geometry.dilations,
        pads=(*geometry.before, *geometry.after),
        pad_code=layer.grid(0).zero_point[0],
    )
    return plan_convolution(x.shape, x.dtype, ready.packed, window, ready.epilogue)


def _bias(layer: Layer, operands: list[np.ndarray], groups: int) -> np.ndarray | None:
    return operands[2].astype(np.int64).reshape(groups, -1) if layer.has_input(2) else None


def _convolve(
    layer: Layer, x: np.ndarray, geometry: Windows, kernels: np.ndarray, bias: np.ndarray | None
) -> np.ndarray:
    """Return output codes ``[batch, out_channels, out_h, out_w]``; ``kernels`` are codes ``[groups, k, n]``."""
    groups, k, _ = kernels.shape
    batch, (rows, columns) = x.shape[0], geometry.count
    (top, left), (bottom, right) = geometry.before, geometry.after
    zeros = _zeros(layer, x)
    pads = (top, left, bottom, right)
    if zeros.size > 1 and any(pads):
        x, pads = _padded(x, pads, zeros), (0, 0, 0, 0)
    fill = int(zeros.flat[0])
    matrix = im2col(x, geometry.kernel, geometry.strides, geometry.dilations, pads, fill, rows, columns)
    matrix = matrix.reshape(-1, groups, k).transpose(1, 0, 2)
    sums = array_product(layer, matrix, kernels, bias)
    codes = requantized(layer, sums.transpose(1, 0, 2).reshape(batch * rows * columns, -1))
    return np.ascontiguousarray(codes.reshape(batch, rows, columns, -1).transpose(0, 3, 1, 2))


def _zeros(layer: Layer, x: np.ndarray) -> np.ndarray:
    """Return the code of real 0, broadcasting against ``x``: of one element, or one per channel."""
    grid = layer.grid(0)
    zeros = grid.granularity.spread(grid.zero_points(), x.shape)
    return zeros if zeros.size == 1 or (zeros != zeros.flat[0]).any() else zeros[:1, :1, :1, :1]


def _padded(x: np.ndarray, pads: tuple[int, int, int, int], zeros: np.ndarray) -> np.ndarray:
    """Return ``x`` with (top, left, bottom, right) elements of real 0 around it, whose code differs between channels."""
    top, left, bottom, right = pads
    batch, channels, height, width = x.shape
    result = np.empty((batch, channels, height + top + bottom, width + left + right), x.dtype)
    result[...] = zeros
    result[:, :, top : top + height, left : left + width] = x
    return result


OPERATORS = {"Conv": convolution, "ConvTranspose": transposed_convolution}
