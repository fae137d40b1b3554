"""Cycles of the array: one closed form for every dataflow.

A fold holds ``rows x columns`` of the two unrolled dimensions and streams the third. Inclusive count from the first
streamed operand to the last result of one fold (measured on seven published RTL arrays):

    stationary operand in the array:  T + h (R - 1) + (C - 1) + lambda, after a load of R cycles
    output stationary:                T + (R - 1) + (C - 1) + D + lambda

with T streamed vectors, h registers per vertical hop, lambda fixed latency, and the drain D = 0, R or C. Without overlap
folds follow one another; ``overlap_load`` hides the next load under the stream (a fold then lasts at least R cycles),
``overlap_drain`` lets the pipeline stay full between folds, so that skew and drain are paid once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.hardware.parts import SystolicArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayCycles:
    """Cycles of a sequence of folds, by what they are spent on.

    Args:
        compute: streaming operands.
        fill: loading stationary operands and running down the rows, where exposed.
        drain: running out of the columns, the fixed latency, and shifting results out, where exposed.
    """

    compute: int
    fill: int
    drain: int

    @property
    def total(self) -> int:
        """All cycles."""
        return self.compute + self.fill + self.drain


def folds_of(array: SystolicArray, sizes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the folds along each dimension of tiles of the given sizes; one along time."""
    flow = array.flow
    return {
        flow.rows: -(-sizes[flow.rows] // array.rows),
        flow.columns: -(-sizes[flow.columns] // array.columns),
        flow.time: np.ones_like(sizes[flow.time]),
    }


def skew(array: SystolicArray) -> tuple[int, int]:
    """Return the cycles of one fold beyond its stream: (running down the rows, running out and draining)."""
    hops = 1 if array.flow.reduces_in_time else array.vertical_hop_registers
    return hops * (array.rows - 1), array.columns - 1 + array.pipeline_latency_cycles + drain_cycles(array)


def drain_cycles(array: SystolicArray) -> int:
    """Return D: the cycles in which an output-stationary array shifts its results out."""
    if not array.flow.reduces_in_time:
        return 0
    return {"none": 0, "down": array.rows, "right": array.columns}[array.drain]


def load_cycles(array: SystolicArray) -> int:
    """Return the cycles in which a stationary operand enters the array, one row a cycle; 0 if outputs are stationary."""
    return 0 if array.flow.reduces_in_time else array.rows


def tile_cycles(array: SystolicArray, sizes: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (compute, fill, drain) of each tile, without what is paid once per layer.

    Args:
        array: the machine's array.
        sizes: int64 ``[tiles]`` by dimension letter.
    """
    folds = folds_of(array, sizes)
    count = folds[array.flow.rows] * folds[array.flow.columns]
    stream = sizes[array.flow.time]
    down, out = skew(array)
    load, drain = load_cycles(array), drain_cycles(array)
    fill, empty = np.zeros_like(count), np.zeros_like(count)
    if array.overlap_drain:
        empty = empty + np.maximum(drain - stream, 0)  # the results of one fold leave under the next
        hidden = stream
    else:
        fill, empty = fill + down, empty + out
        hidden = stream + down + out
    fill = fill + (np.maximum(load - hidden, 0) if array.overlap_load else load)
    return count * stream, count * fill, count * empty


def layer_cycles(array: SystolicArray) -> tuple[int, int]:
    """Return (fill, drain) paid once per layer: the first exposed load, and skew and drain where folds overlap."""
    down, out = skew(array)
    first_load = load_cycles(array) if array.overlap_load else 0
    return first_load + (down if array.overlap_drain else 0), out if array.overlap_drain else 0


def sequence_cycles(array: SystolicArray, sizes: dict[str, np.ndarray], groups: int = 1) -> ArrayCycles:
    """Return the cycles of tiles one after the other, the whole sequence ``groups`` times, memory not counted."""
    compute, fill, drain = (int(part.sum()) * groups for part in tile_cycles(array, sizes))
    once_fill, once_drain = layer_cycles(array)
    last = {dim: values[-1:] for dim, values in sizes.items()}
    unneeded_fill = int(np.maximum(load_cycles(array) - _hidden(array, last), 0)[0]) if array.overlap_load else 0
    unneeded_drain = int(np.maximum(drain_cycles(array) - last[array.flow.time], 0)[0]) if array.overlap_drain else 0
    return ArrayCycles(
        compute=compute, fill=fill + once_fill - unneeded_fill, drain=drain + once_drain - unneeded_drain
    )


def gemm_cycles(array: SystolicArray, m: int, k: int, n: int, groups: int = 1) -> ArrayCycles:
    """Return the cycles of ``groups`` products that are one tile each."""
    return sequence_cycles(array, {"m": np.array([m]), "k": np.array([k]), "n": np.array([n])}, groups)


def _hidden(array: SystolicArray, sizes: dict[str, np.ndarray]) -> np.ndarray:
    """Return the cycles of one fold under which the next load hides."""
    stream = sizes[array.flow.time]
    return stream if array.overlap_drain else stream + sum(skew(array))
