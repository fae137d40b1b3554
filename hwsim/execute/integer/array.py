"""Array operators: products and sums in the order of the mapped array, bias, zero points, requantization."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.float32.activation import clamp
from hwsim.execute.integer.floating import floating_product, is_floating, left_array
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.positions import over_result
from hwsim.execute.integer.product import ArrayProduct
from hwsim.execute.integer.requantize import column_grid, raw, to_codes
from hwsim.execute.integer.rescaling import accumulator_units, has_real_sums
from hwsim.execute.integer.rescaling import leaves_raw as leaves_raw
from hwsim.execute.integer.rescaling import output_ratio as output_ratio
from hwsim.execute.integer.segments import segmented_product
from hwsim.execute.integer.sparse import active_products
from hwsim.kernels.mac import Accumulation, accumulate_gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams

INT32_LIMIT = (1 << 30) - 1  # room for a zero point


def array_product(layer: Layer, ifmap: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """Return the centred accumulator values of ``groups`` products.

    ``sum (x - zx)(w - zw)``: with zero points ``folded`` raw codes meet in the array and
    ``- zx sum(w) + K zx zw`` joins the bias, while ``- zw sum(x)`` is a column sum computed beside the array;
    with ``subtracted`` the centred codes meet. A multiplier that is not exact takes the place of the products in the array;
    these corrections stay exact, as the adders beside it are. The bias enters the accumulator before the first fold or after the last
    (``datapath.bias``); what enters at the end is added exactly, at the width of the requantizer's input.
    Where scales change along k, folds are rescaled on the way, see ``hwsim.execute.integer.segments``.

    Args:
        layer: a layer with a mapping; input 0 is the ifmap, input 1 the weight.
        ifmap: codes ``[groups, m, k]`` in ONNX order of k, padding already holding the zero point.
        weight: codes ``[groups, k, n]``.
        bias: int64 ``[groups, n]`` or None.

    Returns:
        int64 ``[groups, m, n]``; float32 where segments are added in float32.
    """
    if is_floating(layer):
        return floating_product(layer, ifmap, weight, bias)
    groups, _, k = ifmap.shape
    n = weight.shape[2]
    if layer.mapping is None:
        return _element_product(layer, ifmap, weight, bias)
    ifmap, weight = multiplied(layer.grid(0), ifmap), multiplied(layer.grid(1), weight)
    if layer.segments is not None:
        return segmented_product(layer, *_in_array_order(layer.mapping, ifmap, weight), bias, _accumulate(layer))
    zero_x, zero_w = zero_points(layer, groups, n)
    x_range = layer.grid(0).format.operand_range
    static = np.zeros((groups, n), dtype=np.int64) if bias is None else bias
    dynamic = None
    if layer.datapath.zero_point == "subtracted":
        ifmap = ifmap - zero_x
        weight = weight - zero_w[:, None, :].astype(weight.dtype)
        x_range = (x_range[0] - zero_x, x_range[1] - zero_x)
    else:
        if zero_x:
            static = static - zero_x * weight.sum(axis=1, dtype=np.int64) + k * zero_x * zero_w
        if zero_w.any():
            dynamic = -ifmap.sum(axis=2, dtype=np.int64)[:, :, None] * zero_w[:, None, :]
    ifmap, weight = _in_array_order(layer.mapping, ifmap, weight)
    at_start = layer.datapath.bias == "start"
    datapath = layer.datapath
    if datapath.zero_gating != "none":
        layer.counters.count(active_products(ifmap, weight, datapath.zero_gating, layer.mapping.mac))
    accumulate = partial(_accumulate(layer), a_range=x_range)
    result = accumulate(
        np.ascontiguousarray(ifmap),
        np.ascontiguousarray(weight),
        layer.mapping.k_segments,
        accumulator=datapath.accumulator,
        start=static[:, None, :] if at_start else 0,
    )
    counters = layer.counters
    counters.overflow_events += result.overflow_events
    counters.overflow_outputs += result.overflow_outputs
    counters.outputs += result.values.size
    counters.peak = max(counters.peak, result.peak)
    values = result.values if at_start else result.values + static[:, None, :]
    sums = values if dynamic is None else values + dynamic
    if layer.on_product is not None:
        beside = zero_w if dynamic is not None else np.zeros_like(zero_w)
        layer.on_product(
            layer,
            ArrayProduct(
                ifmap=ifmap,
                weight=weight,
                constant=static,
                weight_zero_point=beside,
                sums=sums,
                accumulate=accumulate,
            ),
        )
    return sums


def _in_array_order(mapping: Mapping, ifmap: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the operands with k as the array takes it."""
    permutation = mapping.k_permutation
    return (ifmap, weight) if permutation is None else (ifmap[:, :, permutation], weight[:, permutation, :])


def _accumulate(layer: Layer) -> Callable[..., Accumulation]:
    """Return ``accumulate_gemm`` with the layer's multiplier, adder tree and psum register."""
    assert layer.mapping is not None
    return partial(
        accumulate_gemm,
        psum=layer.datapath.psum,
        tree=layer.mapping.tree,
        multiplier=layer.multiplier,
        formats=None if layer.multiplier.is_exact else (layer.entering(0), layer.entering(1)),
    )


def _element_product(layer: Layer, ifmap: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """Return ``(x - zx) (w - zw) + bias`` exactly: one product per output (k = n = 1) is work of the vector unit."""
    groups, _, k = ifmap.shape
    if k != 1 or weight.shape[2] != 1:
        raise ExecutionError(
            f"layer {layer.node.name!r} runs on the array but has no mapping; schedule the graph first"
        )
    zero_x, zero_w = zero_points(layer, groups, 1)
    ifmap, weight = multiplied(layer.grid(0), ifmap), multiplied(layer.grid(1), weight)
    sums = (ifmap.astype(np.int64) - zero_x) * (weight.astype(np.int64) - zero_w[:, :, None])
    return sums if bias is None else sums + bias[:, None, :]


def multiplied(grid: QuantParams, codes: np.ndarray) -> np.ndarray:
    """Return the integers that enter the multiplier, as int32 where the format fits, else int64."""
    operands = codes if isinstance(grid.format, IntFormat) else grid.format.operands(codes)
    low, high = grid.format.operand_range
    return operands.astype(np.int32 if low >= -INT32_LIMIT and high <= INT32_LIMIT else np.int64, copy=False)


def zero_points(layer: Layer, groups: int, n: int) -> tuple[int, np.ndarray]:
    """Return the ifmap's zero point and those of the weights as int64 ``[groups, n]``."""
    ifmap, weight = layer.grid(0), layer.grid(1)
    if len(set(ifmap.zero_point)) > 1:
        raise ExecutionError(f"layer {layer.node.name!r}: zero points of the ifmap that change along k need segments")
    zero_w = weight.zero_points()
    if layer.is_rescaled_by_position:
        columns = over_result(layer, layer.node.inputs[1], zero_w)[..., 0, :]  # [1, heads, n]
        heads = layer.graph.tensors[layer.node.outputs[0]].shape[1:-2] if groups > 1 else columns.shape[1:-1]
        return ifmap.zero_point[0], np.broadcast_to(columns, (groups // prod(heads), *heads, n)).reshape(groups, n)
    spread = zero_w.reshape(groups, n) if zero_w.size == groups * n else zero_w.reshape(1, -1)
    return ifmap.zero_point[0], np.broadcast_to(spread, (groups, n))


def requantized(layer: Layer, sums: np.ndarray) -> np.ndarray:
    """Return the output codes of ``sums`` ``[..., n]`` in the accumulator's unit of each column (``accumulator_units``).

    Where scales change by position, sums come in the shape of the result.

    A result without a grid is ``f32(sum) * f32(unit)``; one on a grid of other numbers than integers is that, encoded, and
    so is one of float32 accumulators.
    """
    if is_floating(layer):
        return left_array(layer, sums)
    coded = layer.output_is_coded()
    if not coded or has_real_sums(layer) or not isinstance(layer.output_grid().format, IntFormat):
        real = clamp(sums.astype(np.float32) * accumulator_units(layer).astype(np.float32), *layer.node.clamp)
        return column_grid(layer, real.ndim).encode(real) if coded else real
    if leaves_raw(layer):
        return raw(layer, sums)
    return to_codes(layer, sums, output_ratio(layer))
