"""Array layers of a machine with a floating-point multiply-accumulate (``hwsim.numerics.float_mac`` is the arithmetic).

On its way in an operand is decoded, ``scale * (code - zero point)`` in float64, which holds the product of a float32 scale and
a code of up to 29 bits, and rounded once to the mode's operand format; so are weights with any granularity of their scales,
as the weight-only methods store them. A bias is rounded to the format of sums. What leaves the accumulators is a real number:
the fused clamp and the grid of the result follow, in float32. No requantizer and no zero-point term has a part in it.

The operators of the integer arrays only move codes about before they multiply. So their operands are handed to them as codes
of fp32, which holds the numbers of every mode, and the product is taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.float32.activation import clamp
from hwsim.execute.integer.executable import check_tree
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.positions import image_grid
from hwsim.execute.integer.product import ArrayProduct
from hwsim.execute.integer.requantize import code_range, column_grid, grids_of_columns
from hwsim.execute.integer.sparse import active_products
from hwsim.hardware.modes.floating import Mode
from hwsim.kernels.encode import encode
from hwsim.kernels.float_mac import FP32, accumulate
from hwsim.kernels.mac import Accumulation
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.float_mac import FloatMac, cast
from hwsim.numerics.formats import FloatFormat, IntFormat
from hwsim.numerics.quant_params import QuantParams

Operator = Callable[[Layer, list[np.ndarray]], list[np.ndarray]]
BIAS = 2
REAL = QuantParams(format=FP32, scale=(1.0,))
TABLE_BITS = 16


def is_floating(layer: Layer) -> bool:
    """Whether the layer's products are summed in floating point."""
    return layer.mapping is not None and layer.datapath.mac.is_floating


def mac_of(layer: Layer) -> FloatMac:
    """Return the formats of a floating layer."""
    mode = layer.datapath.mac
    assert isinstance(mode, Mode)
    return mode.arithmetic


def on_mode(operator: Operator) -> Operator:
    """Return the operator of an integer array on operands that are rounded to the mode's formats, as codes of fp32."""

    def run(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
        names = layer.node.inputs[: len(operands)]
        codes = [_entering(layer, index, operand).view(np.uint32) for index, operand in enumerate(operands)]
        seen = layer.on_product
        on_product = None if seen is None else lambda _, product: seen(layer, product)  # with the grids of the network
        return operator(
            replace(layer, grids={**layer.grids, **dict.fromkeys(names, REAL)}, on_product=on_product), codes
        )

    return run


def _entering(layer: Layer, index: int, codes: np.ndarray) -> np.ndarray:
    """Return what operand ``index`` enters as; a constant's values are remembered."""
    mac, grid = mac_of(layer), layer.grid(index)
    number = mac.total if index == BIAS else mac.operand
    if not layer.tensor(index).is_constant:
        return entering(grid, codes, number)

    def constant() -> np.ndarray:
        values = entering(grid, codes, number)
        lost = values.size - np.count_nonzero(np.isfinite(values))
        if lost:
            raise ExecutionError(
                f"layer {layer.node.name!r}: {lost} values of {layer.tensor(index).name!r} lie beyond {number}, whose largest "
                f"number is {number.maximum:g}; choose a mac of more exponent bits, such as floating:bf16:fp32"
            )
        return values

    return layer.remembered(f"entering {index}", constant)


def entering(grid: QuantParams, codes: np.ndarray, number: FloatFormat) -> np.ndarray:
    """Return what ``codes`` stand for, rounded once to ``number``, as float32; beyond its largest number as a cast gives it."""
    is_plain = isinstance(grid.format, IntFormat | FloatFormat) and grid.granularity.axis is None
    if not is_plain or grid.format.bits > TABLE_BITS:
        return _rounded(grid, codes, number)
    lowest = _lowest(grid)
    table = _table(grid, number)
    return np.take(table, codes if lowest == 0 else codes.astype(np.int32) - lowest)


def _lowest(grid: QuantParams) -> int:
    return grid.format.minimum if isinstance(grid.format, IntFormat) else 0


@lru_cache(maxsize=64)
def _table(grid: QuantParams, number: FloatFormat) -> np.ndarray:
    lowest = _lowest(grid)
    return _rounded(grid, np.arange(lowest, lowest + (1 << grid.format.bits)), number)


def _rounded(grid: QuantParams, codes: np.ndarray, number: FloatFormat) -> np.ndarray:
    scales, zeros = (
        grid.granularity.spread(values.astype(np.float64), codes.shape)
        for values in (grid.scales(), grid.zero_points())
    )
    return cast(number, scales * (grid.format.decode(codes) - zeros))


def floating_product(layer: Layer, ifmap: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """Return the accumulators of ``groups`` products as float32 numbers of the format of sums.

    Args:
        layer: as ``on_mode`` hands it on.
        ifmap: fp32 codes of operands ``[groups, m, k]`` in ONNX order of k; padding is +0.
        weight: likewise ``[groups, k, n]``.
        bias: fp32 codes ``[groups, n]`` of numbers of the format of sums, or None.

    Returns:
        float32 ``[groups, m, n]``.
    """
    assert layer.mapping is not None
    check_tree(layer, layer.mapping.tree)
    mac = mac_of(layer)
    left, right = _values(ifmap), _values(weight)
    permutation = layer.mapping.k_permutation
    if permutation is not None:
        left = left.swapaxes(1, 2)[:, permutation].swapaxes(1, 2)  # whole columns: im2col stores them one by one
        right = right[:, permutation]
    counters, gating = layer.counters, layer.datapath.zero_gating
    if gating != "none":
        counters.count(active_products(left, right, gating, layer.mapping.mac))
    start = _values(bias)[:, None, :] if bias is not None and layer.datapath.bias == "start" else 0.0
    sums = accumulate(left, right, layer.mapping.k_segments, mac, start)
    if bias is not None and layer.datapath.bias == "end":
        sums = accumulate(np.ones((*sums.shape[:2], 1), np.float32), _values(bias)[:, None, :], [1], mac, sums)
    finite = np.isfinite(sums)
    lost = sums.size - int(np.count_nonzero(finite))
    counters.outputs += sums.size
    counters.overflow_outputs += lost
    counters.overflow_events += lost
    counters.peak = max(counters.peak, float(np.abs(sums, where=finite, out=np.zeros_like(sums)).max(initial=0.0)))
    if layer.on_product is not None:
        layer.on_product(layer, _recorded(layer, left, right, bias, sums))
    return sums


def _recorded(
    layer: Layer, left: np.ndarray, right: np.ndarray, bias: np.ndarray | None, sums: np.ndarray
) -> ArrayProduct:
    """Return the record of a product of float32 operands; a bias that is not there is the zero that adds nothing."""
    mac, shape = mac_of(layer), (sums.shape[0], sums.shape[2])
    none = np.full(shape, 0.0 if layer.datapath.bias == "start" else -0.0, np.float32)

    def folds(
        left: np.ndarray,
        right: np.ndarray,
        lengths: Sequence[int],
        *,
        accumulator: Accumulator,
        start: np.ndarray | float,
    ) -> Accumulation:
        assert accumulator.overflow is Overflow.EXACT, "sums have the format of the mode and no other width"
        values = accumulate(left, right, lengths, mac, start)
        return Accumulation(values=values, overflow_events=0, overflow_outputs=0, peak=0, proven_outputs=0)

    return ArrayProduct(
        ifmap=left,
        weight=right,
        constant=none if bias is None else _values(bias),
        weight_zero_point=np.zeros(shape, np.int64),
        sums=sums,
        accumulate=folds,
    )


def _values(codes: np.ndarray) -> np.ndarray:
    return codes.astype(np.uint32, copy=False).view(np.float32)


def left_array(layer: Layer, sums: np.ndarray) -> np.ndarray:
    """Return the codes of real ``sums [..., n]`` on the grid of the result, float32 where it has none; the clamp comes before.

    Where scales change by position, sums come in the shape of the result.
    """
    real = clamp(sums, *layer.node.clamp)
    if not layer.output_is_coded():
        return real
    grid, counters = layer.output_grid(), layer.counters
    if isinstance(grid.format, IntFormat):
        counters.requantized += sums.size
        own, rows, whole = grid, sums, ((grid, slice(None)),)
        if layer.is_rescaled_by_position:
            own, rows = image_grid(layer, sums.shape[1:]), sums.reshape(len(sums), -1)
        for one, columns in whole if grid.granularity.axis is None else grids_of_columns(own):
            low, high = code_range(one, layer.node.clamp)
            steps = np.rint(rows[..., columns] / one.scales()[0]) + one.zero_point[0]
            counters.clipped += int(np.count_nonzero((steps < low) | (steps > high)))
    return encode(column_grid(layer, sums.ndim), real)
