"""Commands of the three units, and programs of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["load", "execute", "store"]
Kind = Literal["configure", "move", "preload", "compute"]

LOOPS = 2  # hardware loops that give out commands at a time, each in its half of the memories


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows ``first`` to ``end - 1`` of an on-chip memory.

    >>> Rows(memory="operands", first=0, end=16).meets(Rows(memory="operands", first=15, end=20))
    True
    """

    memory: Literal["operands", "sums"]
    first: int
    end: int

    def meets(self, other: Rows | None) -> bool:
        """Whether both have a row in common."""
        return other is not None and self.memory == other.memory and self.first < other.end and other.first < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A block of rows between DRAM and the chip.

    Args:
        address: of the first row in DRAM.
        stride_bytes: from one row to the next.
        rows: rows.
        row_bytes: bytes of a row; where it is longer than an on-chip row, the next rows of blocks take the rest.
        first_row: on-chip row of the first one.
        blocks: on-chip rows per row.
        copies: on-chip rows that each row is written to (a bias shared by all rows).
    """

    address: int
    stride_bytes: int
    rows: int
    row_bytes: int
    first_row: int
    blocks: int = 1
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    A ``preload`` names what the next ``compute`` does: the stationary operand that enters in front of it (``reads``; none
    where the old one stays) and where its results go (``writes``; none where they stay in the array).

    Args:
        unit: that runs it.
        kind: configure takes a cycle and no data.
        writes, reads: on-chip rows.
        transfer: of a move.
        vectors: streamed by a compute; rows of results of a preload.
        accumulates: the results are added to what lies there.
        after: (stream, commands of it that must have been given out before).
        loop: the hardware loop that gives it out.
        arrival: earliest cycle in which it is there, of a command that the host gives out.
    """

    unit: Unit
    kind: Kind
    writes: Rows | None = None
    reads: tuple[Rows, ...] = ()
    transfer: Transfer | None = None
    vectors: int = 0
    accumulates: bool = False
    after: tuple[tuple[int, int], ...] = ()
    loop: int = 0
    arrival: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Streams of commands in order of priority: each cycle the first that can gives out its next command.

    Args:
        streams: each in order.
        loops: hardware loops that give them out, 0 where the host does.
        start: cycle in which the first loop is known.
    """

    streams: tuple[tuple[Command, ...], ...]
    loops: int = 0
    start: int = 0
