"""Writes of results to DRAM, as SCALE-Sim's write buffer counts them.

The words leave in lines of ``line_words``, half of the buffer at a time, one line a cycle. A drain that finds a line begun
closes it, padding included; when such a line is not the last of its drain, its padding is counted as words written, and as
space made free.

The array never waits for this buffer, although the tool looks for it. Of 2 D words, D drain in L = ceil(D / C) cycles, in which
at most (L - 1) C < D words of C columns follow. A drain begins with at least D - 1 words free and makes D free (or all that is
held), so D are free when it ends: never fewer than D - 1.

Source: SCALE-Sim 3.0.0, write_buffer.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hwsim.kernels.cache import kernel


class Results(NamedTuple):
    """When the array delivers results: ``depth`` rows a fold from cycle ``start`` on, a column one cycle behind its neighbour.

    Args:
        columns: array columns used in each column fold, int64.
        empty: rows at the front of each row fold that hold nothing, int64.
        depth: rows a fold, the empty ones included.
        start: cycle of a fold in which the first row leaves column 0.
    """

    columns: Any
    empty: Any
    depth: int
    start: int


class WriteReplay(NamedTuple):
    """What came of it.

    Args:
        writes: words written to DRAM, counted as SCALE-Sim counts them.
        first_cycle: of the first word that reaches the buffer.
        last_cycle: of the last word that reaches the buffer.
        first_drain_cycle: of the first line that leaves it.
        last_drain_cycle: of the last line that leaves it.
    """

    writes: int
    first_cycle: int
    last_cycle: int
    first_drain_cycle: int
    last_drain_cycle: int


def replay_writes(results: Results, *, fold_cycles: int, capacity: int, line_words: int) -> WriteReplay:
    """Replay the results of all folds, column folds outermost; half of ``capacity`` words drains at a time."""
    return WriteReplay(*_replay(*results, fold_cycles, capacity, capacity // 2, line_words))


# State of the buffer, an int64 array so that helpers can change it: words in the line begun, lines closed, lines drained, free
# words, end of the drain, words written, first and last cycle of a drained line, padded lines so far, and those drained.
LINE, CLOSED, DRAINED, FREE, BUSY_UNTIL, WRITTEN, FIRST, LAST, PADDED, PADS_DRAINED = range(10)


@kernel
def _close(now: Any, pads: Any, line_words: int) -> Any:
    """Close the line begun and return the padded lines and their padding in turn, in an array twice as long if it was full."""
    if now[LINE]:
        if 2 * now[PADDED] == pads.size:
            longer = np.zeros(2 * pads.size, np.int64)
            for index in range(pads.size):
                longer[index] = pads[index]
            pads = longer
        pads[2 * now[PADDED]] = now[CLOSED]
        pads[2 * now[PADDED] + 1] = line_words - now[LINE]
        now[PADDED] += 1
        now[CLOSED] += 1
        now[LINE] = 0
    return pads


@kernel
def _drain(now: Any, pads: Any, cycle: int, drain_lines: int, line_words: int) -> None:
    """Send up to ``drain_lines`` closed lines to DRAM from ``cycle`` on; only the padding of the last one is not counted."""
    last = min(now[DRAINED] + drain_lines, now[CLOSED])
    lines = last - now[DRAINED]
    words = lines * line_words
    while now[PADS_DRAINED] < now[PADDED] and pads[2 * now[PADS_DRAINED]] < last:
        if pads[2 * now[PADS_DRAINED]] == last - 1:
            words -= pads[2 * now[PADS_DRAINED] + 1]
        now[PADS_DRAINED] += 1
    now[DRAINED] = last
    now[FREE] += words
    now[BUSY_UNTIL] = cycle + lines - 1
    now[WRITTEN] += words
    if now[FIRST] < 0:
        now[FIRST] = cycle
    now[LAST] = max(now[LAST], now[BUSY_UNTIL])


@kernel
def _replay(
    columns: Any, empty: Any, depth: int, start: int, fold_cycles: int, capacity: int, drain_words: int, line_words: int
) -> Any:
    """Replay cycle by cycle; word by word only where a drain begins."""
    now = np.zeros(10, np.int64)
    now[FREE], now[FIRST], now[LAST] = capacity, -1, -1
    pads = np.zeros(64, np.int64)
    drain_lines = -(-drain_words // line_words)
    least_free = capacity - drain_words
    first_cycle, cycle = start + empty[0], 0
    for fold in range(columns.size * empty.size):
        used, skipped = columns[fold // empty.size], empty[fold % empty.size]
        rows = depth - skipped
        for time in range(rows + used - 1):
            cycle = fold * fold_cycles + start + skipped + time
            words = min(time, used - 1) - max(0, time - rows + 1) + 1
            if cycle < now[BUSY_UNTIL] or now[FREE] - words >= least_free:
                now[FREE] -= words
                now[LINE] += words
                now[CLOSED] += now[LINE] // line_words
                now[LINE] %= line_words
                continue
            for _ in range(words):
                now[FREE] -= 1
                now[LINE] += 1
                if now[LINE] == line_words:
                    now[CLOSED] += 1
                    now[LINE] = 0
                if now[FREE] < least_free:  # again in this cycle only if a drain takes one: C >= D
                    pads = _close(now, pads, line_words)
                    _drain(now, pads, cycle, drain_lines, line_words)
    pads = _close(now, pads, line_words)
    end = columns.size * empty.size * fold_cycles - 1
    while now[DRAINED] < now[CLOSED]:
        _drain(now, pads, end, drain_lines, line_words)
        end = now[BUSY_UNTIL] + 1
    return now[WRITTEN], first_cycle, cycle, now[FIRST], now[LAST]
