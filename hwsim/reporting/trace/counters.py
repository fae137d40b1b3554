"""Counter tracks: what DRAM moves and how busy the array is, as means over windows of equal length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.cost.links import DRAM
from hwsim.cost.pipeline import ARRAY
from hwsim.cost.timeline import LayerTimeline
from hwsim.units import ceil_div

MOST_WINDOWS = 1000

Amounts = list[tuple[int, int, float]]  # begin, end, amount spread evenly between


def windows(end: int) -> np.ndarray:
    """Return the edges of the windows from 0 to ``end`` or a little beyond, in cycles, int64 ``[windows + 1]``."""
    length = max(ceil_div(end, MOST_WINDOWS), 1)
    return np.arange(0, end + length, length, dtype=np.int64)


def dram_bits(layers: Sequence[LayerTimeline]) -> dict[str, Amounts]:
    """Return what DRAM moves, in bits, by ``read`` and ``write``."""
    spans = [span for layer in layers for span in layer.spans if span.resource.split(".")[0] == DRAM]
    return {
        "read": [(span.begin, span.end, span.read_bits) for span in spans if span.read_bits],
        "write": [(span.begin, span.end, span.write_bits) for span in spans if span.write_bits],
    }


def macs(layers: Sequence[LayerTimeline]) -> Amounts:
    """Return the multiply-accumulates of every step as shares of the array's peak, in cycles of the whole array busy."""
    found = []
    for layer in layers:
        mapping, steps = layer.mapping, layer.steps
        if mapping is None or steps is None:
            continue
        peak = mapping.array.rows * mapping.array.columns * float(mapping.mac.macs_per_cycle)
        busy = (steps.m * steps.k * steps.n * steps.groups / peak).tolist()
        computing = (span for span in layer.spans if (span.resource, span.what) == (ARRAY, "compute"))
        found += [(span.begin, span.end, busy[span.step]) for span in computing]
    return found


def means(amounts: Amounts, edges: np.ndarray) -> np.ndarray:
    """Return the mean amount per cycle in each window, float64 ``[windows]``.

    >>> means([(0, 4, 8.0), (3, 4, 1.0)], np.array([0, 2, 4]))
    array([2. , 2.5])
    """
    if not amounts:
        return np.zeros(len(edges) - 1)
    begin, end, amount = np.array(amounts, dtype=np.float64).T
    rate = amount / (end - begin)
    times = np.concatenate([begin, end])
    order = np.argsort(times, kind="stable")
    times, slope = times[order], np.concatenate([rate, -rate])[order].cumsum()
    total = np.concatenate([[0.0], (slope[:-1] * np.diff(times)).cumsum()])
    means_of: np.ndarray = np.diff(np.interp(edges, times, total)) / np.diff(edges)
    return means_of
