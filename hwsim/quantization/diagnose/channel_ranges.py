"""The range of every channel of a tensor beside the grid that all of it has to share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, out_axis
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.diagnose.quantizers import Quantizer
from hwsim.quantization.transforms.channels import channels_of
from hwsim.simulation.inputs import chunks_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelRanges:
    """What a figure of a tensor shows.

    Args:
        layer: whose weights or result.
        kind: ``weights`` or ``activations``.
        low: the smallest value of each channel, float64 ``[channels]``.
        high: the largest.
        grid_low: the smallest value that the grid holds, ``[channels]`` (all alike where one grid serves all); None where it is
            not one of integers, or found at run time.
        grid_high: the largest.
        format: of the codes.
    """

    layer: str
    kind: str
    low: np.ndarray
    high: np.ndarray
    grid_low: np.ndarray | None
    grid_high: np.ndarray | None
    format: str

    @property
    def imbalance(self) -> float:
        """The widest channel over the median one that is alive; 1 where none is."""
        spans = np.maximum(np.abs(self.low), np.abs(self.high))
        alive = spans[spans > 0]
        return float(alive.max() / np.median(alive)) if alive.size else 1.0


def channel_ranges(graph: Graph, quantizer: Quantizer, images: Mapping[str, np.ndarray]) -> ChannelRanges:
    """Return the ranges of the tensor of ``quantizer`` in the float network, over ``images`` where it is an activation."""
    tensor = graph.tensors[quantizer.tensor]
    if quantizer.kind == "weights":
        reader = graph.consumers_of[quantizer.tensor][0]
        axis = out_axis(reader, tensor)
        axis = len(tensor.shape) - 1 if axis is None else axis
        low, high = _extremes(np.asarray(tensor.data), axis)
    else:
        axis = channels_of(graph, quantizer.tensor).axis
        parts = []
        for chunk in chunks_of(graph, images):
            parts.append(_extremes(run_float(graph, chunk, keep=[quantizer.tensor])[quantizer.tensor], axis))
        low = np.min([part[0] for part in parts], axis=0)
        high = np.max([part[1] for part in parts], axis=0)
    assert tensor.quant is not None
    ends = _ends(tensor.quant, axis, low.size)
    return ChannelRanges(
        layer=quantizer.layer,
        kind=quantizer.kind,
        low=low,
        high=high,
        grid_low=ends[0],
        grid_high=ends[1],
        format=quantizer.format,
    )


def _extremes(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1).astype(np.float64)
    return rows.min(axis=1), rows.max(axis=1)


def _ends(grid: QuantParams, axis: int, channels: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    shared = grid.granularity.axis is None
    if not isinstance(grid.format, IntFormat) or not grid.is_calibrated:
        return None, None
    if not shared and (grid.granularity.axis != axis or len(grid.zero_point) != channels):
        return None, None
    scales, zero_points = grid.scales().astype(np.float64), grid.zero_points()
    ends = [
        np.broadcast_to(scales * (code - zero_points), (channels,))
        for code in (grid.format.minimum, grid.format.maximum)
    ]
    return ends[0], ends[1]
