"""Weights on grids that DequantizeLinear lacks, in other words: groups of k as blocks, tables as Gather."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import TensorProto

from hwsim.errors import GraphError
from hwsim.graph import Tensor
from hwsim.interchange.onnx.write.sheet import Sheet
from hwsim.numerics.formats import Codebook
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams


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
    """Whether codes are places in a table."""
    return grid is not None and isinstance(grid.format, Codebook)


def looked_up(sheet: Sheet, tensor: Tensor) -> str:
    """Store codes as bytes and a table of float32 values; read the table and multiply by the scale."""
    grid = tensor.quant
    assert grid is not None
    assert isinstance(grid.format, Codebook)
    sheet.note(f"{grid.format} weights are read from a table by Gather, real values to a reader", tensor.name)
    values = sheet.constant(
        f"{tensor.name}/table", grid.format.decode(np.arange(len(grid.format.values))).astype(np.float32)
    )
    codes = sheet.constant(f"{tensor.name}/codes", tensor.encoded())
    places = sheet.emit(
        "Cast", f"{tensor.name}/places", [codes], [sheet.name(f"{tensor.name}/places")], to=TensorProto.INT64
    )
    found = sheet.emit(
        "Gather", f"{tensor.name}/lookup", [values, places], [sheet.name(f"{tensor.name}/unscaled")], axis=0
    )
    spread = grid.granularity.spread(grid.scales(), tensor.shape)
    scale = sheet.constant(f"{tensor.name}/scale", np.ascontiguousarray(spread))
    return sheet.emit("Mul", f"{tensor.name}/scaled", [found, scale], [tensor.name])
