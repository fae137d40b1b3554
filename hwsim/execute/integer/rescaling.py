"""By what the requantizer of each layer scales: one place for the operators that compute it and the checks before any run."""

from __future__ import annotations

from math import prod

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.float32.pooling import counted
from hwsim.execute.float32.windows import windows
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.positions import over_result, scales_over_result
from hwsim.execute.integer.requantize import per_column
from hwsim.execute.integer.segment_scales import segment_scales
from hwsim.mapping.output_scales import RAW_BITS
from hwsim.numerics.requantizer import SHIFT_ONLY
from hwsim.numerics.requantizers import layer_scale


def scale_ratio(layer: Layer, first: float, others: np.ndarray, output: float) -> np.ndarray:
    """Return ``first * others / output`` as float64 ``[n]``, rounded as the runtime of the layer's scheme rounds it."""
    return layer_scale(layer.requantizer.scheme, layer.kind, first, others, output)


def has_real_sums(layer: Layer) -> bool:
    """Whether the accumulators of an array layer hold float32, in real units."""
    return layer.segments is not None and layer.datapath.segment_scaling.is_real


def accumulator_units(layer: Layer) -> np.ndarray:
    """Return the real value of accumulator 1 of an array layer: float32 ``[n]`` or ``[1]``, of segments float64.

    Where scales change by position, what broadcasts over the result ``[images, ..., m, n]``.
    """
    if layer.segments is not None:
        return segment_scales(layer).unit
    if layer.is_rescaled_by_position:
        ifmap, weight = scales_over_result(layer)
    else:
        ifmap, weight = layer.grid(0).operand_scales(), layer.grid(1).operand_scales()
    units: np.ndarray = ifmap * weight
    return units


def output_ratio(layer: Layer) -> np.ndarray:
    """Return the output codes per accumulator unit of an array layer as float64 ``[n]`` or ``[1]``.

    Where scales change by position, what broadcasts over the result ``[images, ..., m, n]``.
    """
    if layer.is_rescaled_by_position:
        return layer.remembered("ratios by position", lambda: _by_position(layer))
    if layer.segments is not None:
        first, others = 1.0, segment_scales(layer).unit
    else:
        first, others = float(layer.grid(0).operand_scales()[0]), layer.grid(1).operand_scales()
    grid = layer.output_grid()
    return _of_columns(layer, first, others, per_column(grid, grid.scales()))


def _of_columns(layer: Layer, first: float, others: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the ratios of columns with scales ``others`` and ``outputs``, each ``[n]`` or ``[1]``."""
    if outputs.size == 1:
        return scale_ratio(layer, first, others, float(outputs[0]))
    ratios = np.empty(outputs.size)
    for output in np.unique(outputs):
        columns = outputs == output
        ratios[columns] = np.broadcast_to(scale_ratio(layer, first, others, float(output)), outputs.size)[columns]
    return ratios


def _by_position(layer: Layer) -> np.ndarray:
    """Return the ratios of every row of the result that has its own, as the runtime rounds those of one product."""
    if layer.segments is None:
        first, others = scales_over_result(layer)
    else:
        first, others = np.ones(1), segment_scales(layer).unit
    outputs = over_result(layer, layer.node.outputs[0], layer.output_grid().scales())
    shape = np.broadcast_shapes(first.shape, others.shape, outputs.shape)
    first, others, outputs = (
        np.broadcast_to(scales, (*shape[:-1], scales.shape[-1])) for scales in (first, others, outputs)
    )
    ratios = np.empty(shape)
    for row in np.ndindex(shape[:-1]):
        ratios[row] = _of_columns(layer, float(first[row][0]), others[row], outputs[row])
    return ratios


def leaves_raw(layer: Layer) -> bool:
    """Whether the result is the accumulator itself: codes of 32 bits and more in its own unit (ConvInteger)."""
    if not layer.output_is_coded():
        return False
    grid = layer.output_grid()
    if layer.segments is not None or grid.format.bits < RAW_BITS or not grid.is_symmetric:
        return False
    if layer.is_rescaled_by_position:
        scales = over_result(layer, layer.node.outputs[0], grid.scales())
    else:
        scales = per_column(grid, grid.scales())
    return bool((accumulator_units(layer) == scales).all())


def product_ratio(layer: Layer) -> np.ndarray:
    """Return ``s_a * s_b / s_y`` of an elementwise product as float64 ``[1]``."""
    first, second, output = (grid.scales() for grid in (layer.grid(0), layer.grid(1), layer.output_grid()))
    return scale_ratio(layer, float(first[0]), second, float(output[0]))


def operand_ratio(layer: Layer, index: int) -> float:
    """Return the scale of input ``index`` over that of the output."""
    own, output = layer.grid(index).scales(), layer.output_grid().scales()
    return float(scale_ratio(layer, float(own[0]), np.ones(1, dtype=np.float32), float(output[0]))[0])


def sum_ratios(layer: Layer) -> np.ndarray:
    """Return ``operand_ratio`` of every input of an Add, Sub or Sum, float64 ``[inputs]``; what is subtracted is negative."""
    signs = [-1.0 if layer.node.op == "Sub" and index == 1 else 1.0 for index in range(len(layer.node.inputs))]
    return np.array([sign * operand_ratio(layer, index) for index, sign in enumerate(signs)])


def is_moved_onto_output(layer: Layer, index: int) -> bool:
    """Whether input ``index`` of a Concat is requantized: it is on another grid than the result, or a clamp is fused."""
    return layer.grid(index) != layer.output_grid() or layer.node.clamp != (None, None)


def mean_ratio(layer: Layer, count: int) -> np.ndarray:
    """Return ``s_x / (s_y * count)`` of a mean as float64 ``[1]``.

    Raises:
        ExecutionError: the layer's requantizer only shifts, and ``count`` is no power of two.
    """
    if layer.requantizer.scheme in SHIFT_ONLY and count & (count - 1):
        raise ExecutionError(
            f"layer {layer.node.name!r}: the mean of {count} elements is no shift, and its requantizer only shifts; "
            f'give it another one in a precision plan: [[layer]] match = "{layer.node.name}", requantizer = "fixed_point"'
        )
    own, output = float(layer.grid(0).scales()[0]), float(layer.output_grid().scales()[0])
    return scale_ratio(layer, own, np.ones(1, dtype=np.float32), output * count)


def mean_counts(layer: Layer) -> tuple[int, ...]:
    """Return the numbers of elements that a pooling operator averages, ascending; windows over the border may have fewer."""
    node, shape = layer.node, layer.tensor(0).shape
    if node.op == "AveragePool":
        counts = counted(windows(node, shape[2], shape[3]), node.attributes["count_include_pad"])
        return tuple(int(count) for count in np.unique(counts))
    axes = node.attributes["axes"] if node.op == "ReduceMean" else range(2, len(shape))
    return (prod(shape[axis] for axis in axes),)
