"""How a row of bytes becomes bus requests, and how long the answers take to become on-chip rows again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """An aligned bus request.

    Args:
        beats: of the bus.
        skipped_bytes: in front of the first useful byte.
        useful_bytes: of the row.
        offset_bytes: of the first useful byte in the row.
    """

    beats: int
    skipped_bytes: int
    useful_bytes: int
    offset_bytes: int


@lru_cache(maxsize=4096)
def bursts(address: int, row_bytes: int, beat_bytes: int, largest_bytes: int) -> tuple[Burst, ...]:
    """Return the requests of a row: each time the aligned power of two of beats that takes most, the smallest of equals.

    >>> [(b.beats, b.useful_bytes) for b in bursts(8, 64, 16, 64)]
    [(4, 56), (1, 8)]
    """
    found, done = [], 0
    while done < row_bytes:
        place, left = address + done, row_bytes - done
        size, taken = beat_bytes, 0
        chosen = size
        while size <= largest_bytes:
            take = min(size - place % size, left)
            if take > taken:
                chosen, taken = size, take
            size *= 2
        found.append(
            Burst(beats=chosen // beat_bytes, skipped_bytes=place % chosen, useful_bytes=taken, offset_bytes=done)
        )
        done += taken
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """An answer on its way to the on-chip rows, in cycles after its first beat.

    Args:
        next_cycle: when the next answer may begin.
        row_cycles: when each on-chip row leaves.
    """

    next_cycle: int
    row_cycles: tuple[int, ...]


@lru_cache(maxsize=4096)
def merge(burst: Burst, beat_bytes: int, chip_row_bytes: int) -> Merge:
    """Return how a buffer of one answer turns beats into on-chip rows.

    A beat arrives per cycle. A cycle later its bytes count; a row leaves where a whole row's bytes, or all of the answer's,
    are there, one a cycle; the next answer enters while the last row leaves.
    """
    sent, cycle, rows = 0, 0, list[int]()
    while True:
        cycle += 1
        arrived = min(cycle, burst.beats)
        there = min(max(arrived * beat_bytes - burst.skipped_bytes, 0), burst.useful_bytes)
        if there > sent and (there - sent >= chip_row_bytes or there == burst.useful_bytes):
            first = chip_row_bytes - burst.offset_bytes % chip_row_bytes if not sent else chip_row_bytes
            sent = min(sent + first, burst.useful_bytes)
            rows.append(cycle)
        if sent == burst.useful_bytes:
            return Merge(next_cycle=max(cycle, burst.beats), row_cycles=tuple(rows))
