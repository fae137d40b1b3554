"""Scale and zero point of the file as the grid of a tensor: per tensor, per axis, or per block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError, HwsimError
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.batch import Shape
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import codes_of, format_of_array
from hwsim.interchange.shapes.common import text
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams


def grid_at(
    operator: Operator, draft: Draft, scale: int, zero_point: int, shape: Shape, *, number: Format,
    axis: int | None = None, block: int = 0, saturate: bool = True,
) -> QuantParams:  # fmt: skip
    """Return the grid that two inputs of an operator give.

    Args:
        operator: the node.
        draft: the graph so far.
        scale: index of the scale among its inputs.
        zero_point: index of the zero point, which may be absent.
        shape: of the tensor on the grid.
        number: format of the codes where no zero point tells it.
        axis: along which a scale with one dimension lies; None where only one scale is allowed.
        block: elements per scale along the axis, 0 where the shapes tell it.
        saturate: of codes in floating point, whether numbers beyond the ends become the ends.

    Raises:
        GraphError: a scale that is computed from an input, that does not fit the shape, or that is no positive number.
    """
    given = _constant(operator, draft, scale, "scale")
    scales = (given if operator.means_codes(scale) else draft.real(operator.inputs[scale])).astype(np.float32)
    zeros = np.zeros(1, np.int64)
    if operator.has(zero_point):
        stored = _constant(operator, draft, zero_point, "zero point")
        declared = format_of_array(stored)
        if declared is None:
            raise GraphError(f"the zero point {operator.inputs[zero_point]!r} is {stored.dtype.name}, which is no code")
        number = declared
        zeros = codes_of(stored, number).astype(np.int64).reshape(-1)
    granularity = _granularity(scales, shape, axis, block)
    if zeros.size not in (1, scales.size):
        raise GraphError(f"{scales.size} scales need one zero point or as many, not {zeros.size}")
    if not isinstance(number, IntFormat):
        zeros = np.where(zeros & ((1 << (number.bits - 1)) - 1), zeros, 0)  # both zeros of floating point are no offset
    try:
        return QuantParams(
            format=number,
            scale=tuple(scales.reshape(-1).tolist()),
            zero_point=tuple(np.broadcast_to(zeros, scales.size).tolist()),
            granularity=granularity,
            saturate=saturate,
        )
    except HwsimError as error:
        raise GraphError(f"the grid of scale {operator.inputs[scale]!r}: {error}") from None


def _constant(operator: Operator, draft: Draft, index: int, role: str) -> np.ndarray:
    name = operator.inputs[index]
    if name not in draft.constants:
        raise GraphError(
            f"its {role} {name!r} is computed at run time, which only DynamicQuantizeLinear may do for MatMulInteger and "
            "ConvInteger; quantize the model statically"
        )
    return draft.constants[name]


def _granularity(scales: np.ndarray, shape: Shape, axis: int | None, block: int) -> Granularity:
    """Return which elements share a scale, by the shape of the scales (QuantizeLinear's text)."""
    if scales.size == 1:
        return PER_TENSOR
    if axis is None:
        raise GraphError(f"one scale is supported for this operand, not {scales.size}; quantize it per tensor")
    axis = positive_axis(axis, len(shape)) if len(shape) > 1 else 0
    if scales.ndim == 1 and not (block and len(shape) == 1):
        if scales.shape != shape[axis : axis + 1]:
            raise GraphError(f"{scales.size} scales do not fit axis {axis} of {text(shape)}; one per index is needed")
        return Granularity(axis=axis)
    if scales.ndim != len(shape):
        raise GraphError(f"scales of shape {text(scales.shape)} do not fit a tensor of shape {text(shape)}")
    size = block or -(-shape[axis] // scales.shape[axis])
    granularity = Granularity(axis=axis, block=size)
    if scales.shape != granularity.scale_shape(shape):
        raise GraphError(
            f"scales of shape {text(scales.shape)} do not fit blocks of {size} along axis {axis} of {text(shape)}"
        )
    return granularity


def grouped(grid: QuantParams, shape: Shape) -> QuantParams:
    """Return a constant's blocked grid with one scale per group of an axis, where its blocks repeat along the other axes.

    ONNX has a scale per run of an axis *and* per index of all others: a convolution's weight whose groups of input channels
    share one scale at every position of the kernel is written with that scale repeated. A sum over k has segments where it is
    read as groups again. Blocks of matrices, of numbers that differ along several axes, or with negative scales stay blocks.
    """
    axis, block = grid.granularity.axis, grid.granularity.block
    if axis is None or block is None or len(shape) < 3 or grid.scale is None or min(grid.scale) <= 0:
        return grid
    blocks = grid.granularity.scale_shape(shape)
    values = np.stack([grid.scales().astype(np.float64), grid.zero_points()]).reshape(2, *blocks)
    others = [other for other in range(len(shape)) if other != axis]
    changing = [other for other in others if (values != np.take(values, [0], axis=other + 1)).any()]
    if len(changing) > 1:
        return grid
    by = changing[0] if changing else None
    kept = values[(slice(None), *(slice(None) if at in (axis, by) else 0 for at in range(len(shape))))]
    scales, zeros = kept if by is None or by < axis else kept.swapaxes(1, 2)
    runs = Granularity.of_runs(axis, shape[axis], block, by=by)
    return replace(
        grid,
        scale=tuple(scales.reshape(-1).tolist()),
        zero_point=tuple(zeros.reshape(-1).astype(np.int64).tolist()),
        granularity=runs if runs.group_count > 1 else Granularity(axis=by),
    )
