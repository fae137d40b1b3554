"""Cycles of the array: one closed form for every dataflow.

A fold holds ``rows x columns`` of the two unrolled dimensions and streams the third. Inclusive count from the first
streamed operand to the last result of one fold (measured on seven published RTL arrays):

    stationary operand in the array:  T + h (R - 1) + (C - 1) + lambda, after a load of R cycles
    output stationary:                T + (R - 1) + (C - 1) + D + lambda

with T streamed vectors, h registers per vertical hop, lambda fixed latency, and the drain D = 0, R or C. A partial fold
costs as much as a full one. Without overlap folds follow one another. ``overlap_load`` hides a load under the fold before
it; ``overlap_drain`` lets the pipeline stay full, so that skew is paid once, at the end, and results leave under the next
fold. What does not hide is exposed: ``max(load - fold before, 0)`` and ``max(D - T, 0)`` before each fold but the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.hardware.parts import SystolicArray

Sizes = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayCycles:
    """Cycles of a sequence of folds, by what they are spent on.

    Args:
        compute: streaming operands.
        fill: loading stationary operands where exposed, and running down the rows.
        drain: running out of the columns, the fixed latency, and shifting results out where exposed.
    """

    compute: int
    fill: int
    drain: int

    @property
    def total(self) -> int:
        """All cycles."""
        return self.compute + self.fill + self.drain


def folds_of(array: SystolicArray, sizes: Sizes) -> Sizes:
    """Return the folds along each dimension of tiles of the given sizes; one along time."""
    flow = array.flow
    return {
        flow.rows: -(-sizes[flow.rows] // array.rows),
        flow.columns: -(-sizes[flow.columns] // array.columns),
        flow.time: np.ones_like(sizes[flow.time]),
    }


def fold_count(array: SystolicArray, sizes: Sizes) -> np.ndarray:
    """Return the folds of each tile, int64 ``[tiles]``."""
    folds = folds_of(array, sizes)
    return folds[array.flow.rows] * folds[array.flow.columns]


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


def tail_cycles(array: SystolicArray) -> int:
    """Return the cycles from the last streamed operand's entry to the last result, where a fold does not include them."""
    return sum(skew(array)) if array.overlap_drain else 0


def fold_cycles(array: SystolicArray, stream: np.ndarray) -> np.ndarray:
    """Return the cycles from a fold's first streamed operand until the next fold may stream, loads not counted."""
    return stream if array.overlap_drain else stream + sum(skew(array))


def exposed_cycles(array: SystolicArray, before: np.ndarray, stream: np.ndarray) -> np.ndarray:
    """Return the idle cycles in front of a fold of ``stream`` vectors that follows one of ``before`` vectors."""
    if array.flow.reduces_in_time:
        return np.maximum(drain_cycles(array) - stream, 0) if array.overlap_drain else np.zeros_like(stream)
    load = load_cycles(array)
    return np.maximum(load - fold_cycles(array, before), 0) if array.overlap_load else np.full_like(stream, load)


def tile_cycles(array: SystolicArray, sizes: Sizes) -> tuple[np.ndarray, np.ndarray]:
    """Return (idle, busy) cycles of tiles that follow one another in a ring, int64 ``[tiles]`` each.

    ``idle`` is exposed in front of a tile's first fold, whose predecessor is the last fold of the tile before (of the
    first tile: of the last). ``busy`` is all its folds and what is exposed between them.
    """
    stream, count = sizes[array.flow.time], fold_count(array, sizes)
    within = exposed_cycles(array, stream, stream)
    busy = count * fold_cycles(array, stream) + (count - 1) * within
    return exposed_cycles(array, np.roll(stream, 1), stream), busy


def sequence_cycles(array: SystolicArray, sizes: Sizes, groups: int = 1) -> ArrayCycles:
    """Return the cycles of tiles one after the other, the whole sequence ``groups`` times, memory not counted."""
    stream, count = sizes[array.flow.time], fold_count(array, sizes)
    idle, _ = tile_cycles(array, sizes)
    folds = int(count.sum()) * groups
    compute = int((count * stream).sum()) * groups
    exposed = int((idle + (count - 1) * exposed_cycles(array, stream, stream)).sum()) * groups - int(idle[0])
    down, out = skew(array)
    times = 1 if array.overlap_drain else folds
    fill, drain = (0, exposed) if array.flow.reduces_in_time else (exposed, 0)
    return ArrayCycles(compute=compute, fill=load_cycles(array) + fill + times * down, drain=drain + times * out)


def gemm_cycles(array: SystolicArray, m: int, k: int, n: int, groups: int = 1) -> ArrayCycles:
    """Return the cycles of ``groups`` products that are one tile each."""
    return sequence_cycles(array, {"m": np.array([m]), "k": np.array([k]), "n": np.array([n])}, groups)
