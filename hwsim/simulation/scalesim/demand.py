"""The requests of SCALE-Sim's array, from its dataflow: which operand comes when, and at which addresses.

The stationary operand is loaded row by row, the last row first. A streamed one runs along its edge, a lane a cycle behind its
neighbour, after the load if there is one. Addresses are those of the image in channel-last order and of filters one behind the
other, so that overlapping windows share pixels; a pixel beyond the image has no address.

Source: SCALE-Sim 3.0.0, compute/operand_matrix.py and compute/systolic_compute_{ws,os,is}.py.
"""

from __future__ import annotations

import numpy as np

from hwsim.cost.scalesim.compute import used_lanes
from hwsim.hardware.dataflow import OPERAND_DIMENSIONS
from hwsim.hardware.parts import SystolicArray
from hwsim.interchange.scalesim import ScaleSimLayer
from hwsim.kernels.scalesim import Axis, Demand, Results


def ifmap_demand(array: SystolicArray, layer: ScaleSimLayer) -> Demand:
    """Return the requests for pixels."""
    pixels = np.arange(layer.m)
    taps = np.arange(layer.k)
    y, x = (index * layer.stride for index in np.divmod(pixels, layer.ofmap_width))
    tap, channel = np.divmod(taps, layer.channels)
    tap_y, tap_x = np.divmod(tap, layer.filter_width)
    row = layer.ifmap_width * layer.channels
    parts = {
        "m": np.stack([y * row + x * layer.channels, y, x]),
        "k": np.stack([tap_y * row + tap_x * layer.channels + channel, tap_y, tap_x]),
    }
    size = layer.ifmap_height * layer.ifmap_width * layer.channels
    return _demand(array, "ifmap", parts, (layer.ifmap_height, layer.ifmap_width), size)


def filter_demand(array: SystolicArray, layer: ScaleSimLayer) -> Demand:
    """Return the requests for weights."""
    parts = {
        dim: np.stack([np.arange(size) * step, *np.zeros((2, size), np.int64)])
        for dim, size, step in (("k", layer.k, 1), ("n", layer.n, layer.k))
    }
    return _demand(array, "weight", parts, (1, 1), layer.k * layer.n)


def results_of(array: SystolicArray, layer: ScaleSimLayer) -> Results:
    """Return when the results leave; stationary outputs leave bottom row first, from cycle T - 1 on."""
    flow, sizes = array.flow, layer.sizes
    columns, rows = used_lanes(sizes[flow.columns], array.columns), used_lanes(sizes[flow.rows], array.rows)
    stream = sizes[flow.time]
    if flow.reduces_in_time:
        return Results(columns=columns, empty=array.rows - rows, depth=array.rows, start=stream - 1)
    return Results(columns=columns, empty=np.zeros_like(rows), depth=stream, start=2 * array.rows - 1)


def _demand(
    array: SystolicArray,
    operand: str,
    parts: dict[str, np.ndarray],
    image: tuple[int, int],
    addresses: int,
) -> Demand:
    flow = array.flow
    stationary = operand == flow.stationary
    lane = flow.columns if stationary or flow.columns in OPERAND_DIMENSIONS[operand] else flow.rows
    step = flow.rows if stationary else flow.time
    return Demand(
        lanes=Axis(parts[lane], array.columns if lane == flow.columns else array.rows, lane == flow.columns),
        steps=Axis(parts[step], array.rows if stationary else 0, False),
        start=0 if stationary or flow.reduces_in_time else array.rows,
        skewed=not stationary,
        height=image[0],
        width=image[1],
        addresses=addresses,
    )
