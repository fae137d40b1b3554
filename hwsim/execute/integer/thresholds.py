"""Thresholds that are counted on codes and accumulators: integer comparisons, no multiplier."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.threshold import levels
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import real
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.multithreshold import count_reached, least_codes


def multi_threshold(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MultiThreshold: count the integer thresholds that a centred code reaches; a table gives the code of each count.

    Codes that are no integers, and scales along another axis than the thresholds, are compared as float32.
    """
    codes, thresholds = operands
    grid, axis = layer.grid(0), layer.node.attributes["axis"]
    is_compared = isinstance(grid.format, IntFormat) and grid.granularity in (PER_TENSOR, Granularity(axis=axis))
    if not is_compared or layer.output_grid().granularity != PER_TENSOR:
        return real(layer, operands)
    least = least_codes(thresholds, grid.scales())
    counts = count_reached(layer.centred(0, codes), least, axis)
    entries = layer.output_grid().encode(levels(layer.node, np.arange(thresholds.shape[1] + 1)))
    return [entries[counts]]


OPERATORS = {"MultiThreshold": multi_threshold}
