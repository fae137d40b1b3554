"""Scales by position: arrays that broadcast over the result of a MatMul, and an image's result as one row of columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams


def over_result(layer: Layer, name: str, values: np.ndarray) -> np.ndarray:
    """Return ``values`` (one per scale) of an operand or the result in a shape that broadcasts over ``[images, ..., m, n]``.

    Args:
        layer: of a MatMul whose scales change outside of k.
        name: the tensor.
        values: ``[scales]``.
    """
    tensor, rank = layer.graph.tensors[name], len(layer.graph.tensors[layer.node.outputs[0]].shape)
    assert tensor.quant is not None
    spread = tensor.quant.granularity.spread(values, tensor.shape)
    return spread.reshape((1,) * (rank - spread.ndim) + spread.shape)


def scales_over_result(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return the operand scales of ifmap and weight as float32 arrays that broadcast over the result."""
    ifmap, weight = (
        over_result(layer, layer.node.inputs[index], layer.grid(index).operand_scales()) for index in (0, 1)
    )
    return ifmap, weight


def image_grid(layer: Layer, image: tuple[int, ...]) -> QuantParams:
    """Return the result's grid as that of its images in one row each, ``[images, elements]``: every element is a column.

    Args:
        layer: whose result is ``[images, *image]``; no image has a scale of its own.
        image: the shape of an image's result.
    """
    return layer.remembered("image grid", lambda: _in_a_row(layer.output_grid(), image))


def _in_a_row(grid: QuantParams, image: tuple[int, ...]) -> QuantParams:
    if grid.granularity.axis is None:
        return grid
    scales = grid.granularity.spread(np.arange(len(grid.zero_point)), (1, *image))
    columns = np.broadcast_to(scales, (1, *image)).reshape(-1)
    return replace(grid, granularity=Granularity(axis=1, groups=tuple(columns.tolist())))
