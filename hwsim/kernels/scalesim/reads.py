"""Reads of an operand from DRAM, as SCALE-Sim's estimating buffer counts them.

The buffer keeps sets of distinct addresses, of which 50 are active. As soon as the fiftieth is full, all are discarded. So it
is a set of addresses that is emptied whenever it holds 50 sets' worth, and what is read from DRAM are the addresses that were
not in it. An address is in the set if its stamp is that of the current filling, hence one comparison per request.

Source: SCALE-Sim 3.0.0, read_buffer_estimate_bw.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.scalesim.demand import Demand

LAST_STAMP = 255


class ReadReplay(NamedTuple):
    """What came of it; cycles are those without stalls, -1 where there is none.

    Args:
        reads: words read from DRAM.
        fillings: how often the buffer was filled and emptied.
        first_cycle: of the first request.
        last_cycle: of the last request.
        last_filling_cycle: when the buffer was last emptied.
        fillings_in_one_cycle: whether two fillings ended in one cycle.
    """

    reads: int
    fillings: int
    first_cycle: int
    last_cycle: int
    last_filling_cycle: int
    fillings_in_one_cycle: bool


def replay_reads(demand: Demand, *, row_folds: int, column_folds: int, fold_cycles: int, capacity: int) -> ReadReplay:
    """Replay the requests of all folds, column folds outermost.

    Args:
        demand: who asks when.
        row_folds: folds along the rows.
        column_folds: folds along the columns.
        fold_cycles: cycles of one fold.
        capacity: distinct words that empty the buffer once they are in it.
    """
    lanes, steps = demand.lanes, demand.steps
    image = np.array([demand.height, demand.width])
    clipped = bool((lanes.parts[1:].max(axis=1) + steps.parts[1:].max(axis=1) >= image).any())
    state = np.array([0, 0, -1, -1, -1, 0, 1, capacity])
    stamps = np.zeros(demand.addresses, np.uint8)
    shape = (demand.start, demand.skewed, row_folds, column_folds, fold_cycles)
    _replay(
        lanes.parts,
        lanes.block,
        lanes.by_columns,
        steps.parts,
        steps.block,
        *shape,
        image,
        clipped,
        capacity,
        stamps,
        state,
    )
    reads, fillings, first, last, filled, twice = state[:STAMP].tolist()
    return ReadReplay(reads, fillings, first, last, filled, bool(twice))


# State of the replay, an int64 array so that helpers can change it: as in ReadReplay; then the stamp, and the words that still
# fit into the buffer.
READS, FILLINGS, FIRST, LAST, FILLED, TWICE, STAMP, ROOM = range(8)


@kernel
def _replay(
    lanes: Any,
    lane_block: int,
    by_columns: bool,
    steps: Any,
    step_block: int,
    start: int,
    skewed: bool,
    row_folds: int,
    column_folds: int,
    fold_cycles: int,
    image: Any,
    clipped: bool,
    capacity: int,
    stamps: Any,
    state: Any,
) -> None:
    """Replay the folds; those that ask for the same words again while nothing was discarded are hits and are skipped."""
    for column in range(column_folds):
        before = state[FILLINGS]
        for row in range(row_folds):
            within = state[FILLINGS]
            first = (column * row_folds + row) * fold_cycles
            low = lane_block * (column if by_columns else row)
            width = min(lane_block, lanes.shape[1] - low)
            if skewed:
                depth = steps.shape[1]
                for time in range(depth + width - 1):
                    begin, end, cycle = max(0, time - depth + 1), min(width, time + 1), first + start + time
                    _cycle(
                        lanes,
                        low + begin,
                        low + end,
                        steps,
                        time - begin,
                        1,
                        cycle,
                        image,
                        clipped,
                        capacity,
                        stamps,
                        state,
                    )
                if by_columns and state[FILLINGS] == within:
                    state[LAST] += (row_folds - 1 - row) * fold_cycles
                    break
            else:
                bottom = step_block * row
                for step in range(min(step_block, steps.shape[1] - bottom) - 1, -1, -1):
                    cycle = first + step_block - 1 - step
                    _cycle(
                        lanes, low, low + width, steps, bottom + step, 0, cycle, image, clipped, capacity, stamps, state
                    )
        if skewed and not by_columns and state[FILLINGS] == before:
            state[LAST] += (column_folds - 1 - column) * row_folds * fold_cycles
            break


@kernel
def _cycle(
    lanes: Any,
    begin: int,
    end: int,
    steps: Any,
    step: int,
    back: int,
    cycle: int,
    image: Any,
    clipped: bool,
    capacity: int,
    stamps: Any,
    state: Any,
) -> None:
    """Replay the requests of lanes ``begin .. end - 1`` in one cycle; each lane is ``back`` steps behind the one before."""
    stamp, room, reads, asked = state[STAMP], state[ROOM], state[READS], False
    for lane in range(begin, end):
        if not clipped or (lanes[1, lane] + steps[1, step] < image[0] and lanes[2, lane] + steps[2, step] < image[1]):
            asked = True
            address = lanes[0, lane] + steps[0, step]
            if stamps[address] != stamp:
                stamps[address] = stamp
                reads += 1
                room -= 1
                if room == 0:
                    room = capacity
                    state[FILLINGS] += 1
                    if state[FILLED] == cycle:
                        state[TWICE] = 1
                    state[FILLED] = cycle
                    stamp += 1
                    if stamp > LAST_STAMP:
                        stamps[:] = 0
                        stamp = 1
        step -= back
    state[STAMP], state[ROOM], state[READS] = stamp, room, reads
    if asked:
        if state[FIRST] < 0:
            state[FIRST] = cycle
        state[LAST] = cycle
