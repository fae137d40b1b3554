"""From the machine's record to what is built, and to the rules of the sequencer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.hardware.parts import SystolicArray
from hwsim.kernels.stepped import Geometry, Rules, Schedule
from hwsim.kernels.stepped.records import (
    ALONE,
    BOTTOM,
    CYCLES,
    FOLD_SIZE,
    OFFSET,
    PARALLEL,
    RESULTS,
    RIGHT,
    VECTORS,
)
from hwsim.numerics.accumulator import Accumulator, Overflow


def way_out(array: SystolicArray) -> int:
    """Return through which ports results leave: BOTTOM, RIGHT or PARALLEL."""
    if not array.flow.reduces_in_time:
        return BOTTOM
    return {"none": PARALLEL, "down": BOTTOM, "right": RIGHT}[array.drain]


def geometry(array: SystolicArray, psum: Accumulator, lane: type[Any]) -> Geometry:
    """Return the array as built, its registers in lanes of one type; a register wider than them cannot overflow."""
    in_time = array.flow.reduces_in_time
    ends = np.iinfo(np.int64 if lane is np.object_ else lane)
    inside = psum.overflow is not Overflow.EXACT and ends.min <= psum.minimum and psum.maximum <= ends.max
    low, high = (psum.minimum, psum.maximum) if inside else (int(ends.min), int(ends.max))
    masked = inside and psum.overflow is Overflow.WRAP and psum.bits != ends.bits
    number = int if lane is np.object_ else lane
    return Geometry(
        rows=array.rows,
        columns=array.columns,
        hop=1 if in_time else array.vertical_hop_registers + array.adder_latency_cycles,
        multiplier=array.multiplier_latency_cycles,
        latency=array.adder_latency_cycles + array.pipeline_latency_cycles,
        accumulates=in_time,
        exit=way_out(array),
        low=number(low),
        high=number(high),
        mask=number(high - low if masked else -1),
    )


def schedule(array: SystolicArray, vectors: Sequence[int], preloads: bool) -> Schedule:
    """Return the sequencer's rules for folds of so many streamed vectors.

    Args:
        array: the array.
        vectors: of each fold.
        preloads: whether partial sums that stay in the array start from values other than zero.

    Raises:
        ExecutionError: an adder tree, which is no systolic array; or preloads where the chain runs to the right.
    """
    if array.adder_tree != 1:
        raise ExecutionError(
            f"stepped array: adder_tree must be 1, not {array.adder_tree}; every element adds one product a cycle"
        )
    in_time, out, count = array.flow.reduces_in_time, way_out(array), len(vectors)
    if preloads and in_time and out == RIGHT:
        raise ExecutionError(
            "stepped array: partial sums cannot be preloaded where drain = 'right', whose chain enters at the left; "
            "use drain = 'down' or 'none', or add them to the results"
        )
    loads, drains = preloads if in_time else True, in_time and out != PARALLEL
    banks = 2 if (array.overlap_drain if in_time else array.overlap_load) and (loads or drains) else 1
    stream = np.asarray(vectors, np.int64)
    passes = count + banks if drains else count
    folds = np.zeros((count, FOLD_SIZE), np.int64)
    folds[:, VECTORS] = stream
    folds[:, CYCLES] = -(-stream // array.stream_block) * array.stream_block
    folds[:, OFFSET] = np.cumsum(stream) - stream
    folds[:, RESULTS] = array.columns * (array.rows if in_time else stream)
    folds[:, ALONE] = _alone(array, stream)
    rules = Rules(
        banks=banks,
        chain_cycles=array.columns if out == RIGHT else array.rows,
        first_pass=0 if loads else (banks if drains else passes + 1),
        passes=passes,
        loads=loads,
        drains=drains,
        load_waits=loads and not drains and banks == 1 and not array.overlap_drain,
    )
    return Schedule(folds=folds, rules=rules)


def _alone(array: SystolicArray, stream: np.ndarray) -> np.ndarray:
    """Return which folds must wait until everything before them has left, bool ``[F]``."""
    if not array.overlap_drain or not array.flow.reduces_in_time or array.drain_start == "as_ready":
        return np.full(len(stream), not array.overlap_drain)
    shifts = {BOTTOM: array.rows, RIGHT: array.columns, PARALLEL: 0}[way_out(array)]
    return stream < array.rows - 1 + array.columns - 1 + shifts
