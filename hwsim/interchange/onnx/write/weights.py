"""Weights on grids that DequantizeLinear lacks, in other words: groups of k as blocks, tables as Gather.

``hwsim.interchange.onnx.tables`` reads what is written here: codes cast to places, a Gather from the table, a multiplication
by scales, which are gathered themselves where groups or blocks share them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import TensorProto

from hwsim.errors import GraphError
from hwsim.graph import Tensor
from hwsim.interchange.onnx.write.codes import has_element_type
from hwsim.interchange.onnx.write.sheet import Sheet
from hwsim.numerics.formats import Codebook, FloatFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams

SMALL_BITS = 8  # of floating point whose codes are written as places in a table


def blocked(tensor: Tensor) -> Tensor:
    """Return the same numbers with the scales of groups repeated as ONNX's blocks have them (``block_size``, opset 21).

    Raises:
        GraphError: groups that are not runs of one length.
    """
    grid = tensor.quant
    if grid is None or grid.granularity.groups is None:
        return tensor
    given = grid.granularity
    assert given.axis is not None
    assert given.groups is not None
    size, run = len(given.groups), given.groups.count(given.groups[0])
    if given.groups != Granularity.of_runs(given.axis, size, run).groups:
        raise GraphError(
            f"tensor {tensor.name!r}: its groups along axis {given.axis} are not runs of one length, and ONNX has only such "
            "blocks; order the channels by group, or choose equal groups"
        )

    def each(values: np.ndarray) -> np.ndarray:
        full = np.broadcast_to(given.spread(values, tensor.shape), tensor.shape)
        return np.take(full, np.arange(0, size, run), axis=given.axis).reshape(-1)

    quant = replace(
        grid,
        scale=tuple(each(grid.scales()).tolist()),
        zero_point=tuple(each(grid.zero_points()).tolist()),
        granularity=Granularity(axis=given.axis, block=run),
    )
    return replace(tensor, quant=quant, codes=tensor.encoded())


def is_table(grid: QuantParams | None) -> bool:
    """Whether codes are places in a table: those of a codebook, and of small floating point that ONNX has no type for."""
    if grid is None or isinstance(grid.format, Codebook):
        return grid is not None
    number = grid.format
    is_small = isinstance(number, FloatFormat) and number.signed and number.bits <= SMALL_BITS
    return is_small and not has_element_type(number)


def looked_up(sheet: Sheet, tensor: Tensor) -> str:
    """Store codes as bytes and a table of float32 values; read the table and multiply by the scale."""
    grid = tensor.quant
    assert grid is not None
    number = grid.format
    sheet.note(f"{number} weights are read from a table by Gather, real values to most other readers", tensor.name)
    table = number.decode(np.arange(len(number.values) if isinstance(number, Codebook) else 1 << number.bits))
    values = table.astype(np.float32)
    if not np.array_equal(values, table, equal_nan=True):
        sheet.note(f"values of {number} that float32 lacks are rounded", tensor.name)
    codes = sheet.constant(f"{tensor.name}/codes", tensor.encoded())
    places = sheet.emit(
        "Cast", f"{tensor.name}/places", [codes], [sheet.name(f"{tensor.name}/places")], to=TensorProto.INT64
    )
    table_name = sheet.constant(f"{tensor.name}/table", values)
    found = sheet.emit(
        "Gather", f"{tensor.name}/lookup", [table_name, places], [sheet.name(f"{tensor.name}/unscaled")], axis=0
    )
    return sheet.emit("Mul", f"{tensor.name}/scaled", [found, _scale(sheet, tensor, grid)], [tensor.name])


def _scale(sheet: Sheet, tensor: Tensor, grid: QuantParams) -> str:
    """Store scales that broadcast against the tensor; those that several indices of an axis share are gathered along it."""
    shares, shape = grid.granularity, tensor.shape
    if shares.block is None and shares.groups is None:
        return sheet.constant(f"{tensor.name}/scale", shares.spread(grid.scales(), shape))
    assert shares.axis is not None
    if shares.groups is None:
        assert shares.block is not None
        groups = np.arange(shape[shares.axis], dtype=np.int64) // shares.block
        scales = grid.scales().reshape(shares.scale_shape(shape))
    else:
        groups = np.array(shares.groups, dtype=np.int64)
        scales = grid.scales().reshape(-1, shares.group_count)
        scales = scales.T if shares.by is not None and shares.by > shares.axis else scales
        sizes = {shares.axis: shares.group_count, shares.by: shape[shares.by] if shares.by is not None else 1}
        scales = scales.reshape([sizes.get(axis, 1) for axis in range(len(shape))])
    name = sheet.constant(f"{tensor.name}/scale", scales)
    index = sheet.constant(f"{tensor.name}/groups", groups)
    each = [sheet.name(f"{tensor.name}/scale/each")]
    return sheet.emit("Gather", f"{tensor.name}/scale", [name, index], each, axis=shares.axis)
