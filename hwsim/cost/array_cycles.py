"""Cycles of the array: one closed form for every dataflow.

A fold holds ``rows x columns`` of the two unrolled dimensions and streams the third. Inclusive count from the first
streamed operand to the last result of one fold (measured on seven published RTL arrays):

    stationary operand in the array:  T + h (R - 1) + (C - 1) + lambda, after a load of R cycles
    output stationary:                T + (R - 1) + (C - 1) + D + lambda

with T streamed vectors, h registers per vertical hop, lambda fixed latency, and the drain D = 0, R or C. Registers inside a
processing element add to these: of the multiplier to lambda, of the adder to lambda and, where the partial sum moves, to h.
A partial fold costs as much as a full one. Without overlap folds follow one another. ``overlap_load`` hides a load under the fold before
it; ``overlap_drain`` lets the pipeline stay full, so that skew is paid once, at the end, and results leave under the next
fold. What does not hide is exposed: ``max(load - fold before, 0)`` and ``max(D - T, 0)`` before each fold but the first.

T counts cycles. A processing element with lanes or sparse weights (``MacShape``) holds more of a dimension, so that folds
are fewer, or takes several k or n of a streamed one in a vector; bits in series make a vector last several cycles. The
next row or column still begins, and ends, one hop later.

Two things that some arrays do not hide: results that leave in one piece (``drain_start``) let a fold of fewer than
``(R - 1) + (C - 1) + D`` vectors begin only after the results before it have left; and where vectors stream in blocks
(``stream_block``) the next fold waits for the end of the block. An output-stationary fold drains after its block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.hardware.parts import SystolicArray

Sizes = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayCycles:
    """Cycles of a sequence of folds, by what they are spent on.

    Args:
        compute: streaming operands.
        fill: loading stationary operands where exposed, waiting for the end of a block, and running down the rows.
        drain: running out of the columns, the fixed latency, and shifting results out where exposed.
    """

    compute: int
    fill: int
    drain: int

    @property
    def total(self) -> int:
        """All cycles."""
        return self.compute + self.fill + self.drain


def folds_of(array: SystolicArray, sizes: Sizes, shape: MacShape = ONE_PRODUCT) -> Sizes:
    """Return the folds along each dimension of tiles of the given sizes; one along time."""
    flow = array.flow
    return {
        flow.rows: -(-sizes[flow.rows] // shape.held(flow.rows, array.rows)),
        flow.columns: -(-sizes[flow.columns] // shape.held(flow.columns, array.columns)),
        flow.time: np.ones_like(sizes[flow.time]),
    }


def fold_count(array: SystolicArray, sizes: Sizes, shape: MacShape = ONE_PRODUCT) -> np.ndarray:
    """Return the folds of each tile, int64 ``[tiles]``."""
    folds = folds_of(array, sizes, shape)
    return folds[array.flow.rows] * folds[array.flow.columns]


def stream_of(array: SystolicArray, sizes: Sizes, shape: MacShape = ONE_PRODUCT) -> np.ndarray:
    """Return the cycles in which a fold of each tile streams its vectors, int64 ``[tiles]``."""
    cycles: np.ndarray = shape.stream_cycles(array.flow.time, sizes[array.flow.time])
    return cycles


def skew(array: SystolicArray) -> tuple[int, int]:
    """Return the cycles of one fold beyond its stream: (running down the rows, running out and draining)."""
    latency = array.pipeline_latency_cycles + array.multiplier_latency_cycles + array.adder_latency_cycles
    return hop_cycles(array) * (array.rows - 1), array.columns - 1 + latency + drain_cycles(array)


def hop_cycles(array: SystolicArray) -> int:
    """Return the cycles from one row to the next: a partial sum that moves passes the adder's registers, too."""
    return 1 if array.flow.reduces_in_time else array.vertical_hop_registers + array.adder_latency_cycles


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
    blocks = -(-stream // array.stream_block) * array.stream_block
    if array.overlap_drain:
        return blocks
    return np.maximum(blocks, _last_cycles(array, stream))


def _last_cycles(array: SystolicArray, stream: np.ndarray) -> np.ndarray:
    """Return ``fold_cycles`` of a fold that none follows."""
    held = -(-stream // array.stream_block) * array.stream_block if array.flow.reduces_in_time else stream
    return held if array.overlap_drain else held + sum(skew(array))


def exposed_cycles(array: SystolicArray, before: np.ndarray, stream: np.ndarray) -> np.ndarray:
    """Return the idle cycles in front of a fold of ``stream`` vectors that follows one of ``before`` vectors."""
    if array.flow.reduces_in_time:
        if not array.overlap_drain:
            return np.zeros_like(stream)
        if array.drain_start == "as_ready":
            return np.maximum(drain_cycles(array) - fold_cycles(array, stream), 0)
        hidden = stream >= array.rows + array.columns - 2 + drain_cycles(array)
        return np.where(hidden, 0, sum(skew(array)))
    load = load_cycles(array)
    return np.maximum(load - fold_cycles(array, before), 0) if array.overlap_load else np.full_like(stream, load)


def tile_cycles(
    array: SystolicArray, sizes: Sizes, shape: MacShape = ONE_PRODUCT, times: np.ndarray | int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return (idle, busy) cycles of tiles that follow one another in a ring, int64 ``[tiles]`` each.

    ``idle`` is exposed in front of a tile's first fold, whose predecessor is the last fold of the tile before (of the
    first tile: of the last). ``busy`` is all its folds, ``times`` over, and what is exposed between them.
    """
    stream, count = stream_of(array, sizes, shape), fold_count(array, sizes, shape) * times
    within = exposed_cycles(array, stream, stream)
    busy = count * fold_cycles(array, stream) + (count - 1) * within
    return exposed_cycles(array, np.roll(stream, 1), stream), busy


def unused_cycles(array: SystolicArray, sizes: Sizes, shape: MacShape = ONE_PRODUCT) -> int:
    """Return the cycles of the last tile's last fold that only a next fold would have to wait for."""
    stream = stream_of(array, sizes, shape)[-1:]
    return int(fold_cycles(array, stream)[0] - _last_cycles(array, stream)[0])


def sequence_cycles(
    array: SystolicArray,
    sizes: Sizes,
    groups: int = 1,
    shape: MacShape = ONE_PRODUCT,
    times: np.ndarray | int = 1,
) -> ArrayCycles:
    """Return the cycles of tiles one after the other, memory not counted.

    The folds of each tile run ``times`` over, the whole sequence ``groups`` times.
    """
    stream, count = stream_of(array, sizes, shape), fold_count(array, sizes, shape) * times
    idle, _ = tile_cycles(array, sizes, shape)
    folds = int(count.sum()) * groups
    compute = int((count * stream).sum()) * groups
    busy = int((count * fold_cycles(array, stream)).sum()) * groups
    exposed = int((idle + (count - 1) * exposed_cycles(array, stream, stream)).sum()) * groups - int(idle[0])
    down, out = skew(array)
    ends = 1 if array.overlap_drain else folds
    blocks = busy - unused_cycles(array, sizes, shape) - compute - (0 if array.overlap_drain else folds * (down + out))
    fill, drain = (0, exposed) if array.flow.reduces_in_time else (exposed, 0)
    return ArrayCycles(compute=compute, fill=load_cycles(array) + fill + blocks + ends * down, drain=drain + ends * out)


def gemm_cycles(array: SystolicArray, m: int, k: int, n: int, groups: int = 1) -> ArrayCycles:
    """Return the cycles of ``groups`` products that are one tile each."""
    return sequence_cycles(array, {"m": np.array([m]), "k": np.array([k]), "n": np.array([n])}, groups)
