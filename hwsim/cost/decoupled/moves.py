"""Load and store commands of a tile: blocks side by side in DRAM travel together, as far as one request reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hwsim.cost.decoupled.commands import Command, Rows, Transfer
from hwsim.cost.decoupled.work import Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A matrix in DRAM and its tile on chip.

    Args:
        address: of the matrix in DRAM.
        columns: of the matrix, in elements.
        element_bytes: in DRAM.
        down, across: how its rows and its columns are cut.
        tile: (down, across) tile.
        first_row: on-chip row of the tile's first block; blocks lie row of blocks by row of blocks.
        memory: on chip.
    """

    address: int
    columns: int
    element_bytes: int
    down: Cut
    across: Cut
    tile: tuple[int, int]
    first_row: int
    memory: Literal["operands", "sums"]

    @property
    def blocks(self) -> tuple[int, int]:
        """Blocks of the tile, down and across."""
        return self.down.of_tile(self.tile[0]), self.across.of_tile(self.tile[1])

    def row_of(self, down: int, across: int) -> int:
        """Return the on-chip row of a block."""
        return self.first_row + (down * self.blocks[1] + across) * self.down.block

    def place_of(self, down: int, across: int, *, shared: bool = False) -> int:
        """Return the address of a block in DRAM; ``shared``: of its part of the only row."""
        row = 0 if shared else (self.tile[0] * self.down.tile + down) * self.down.block
        column = (self.tile[1] * self.across.tile + across) * self.across.block
        return self.address + (row * self.columns + column) * self.element_bytes

    def rows(self, down: int, across: int, *, height: int | None = None, blocks: int = 1) -> Rows:
        """Return the on-chip rows of ``blocks`` blocks side by side, ``height`` rows (default: those not padding) of each."""
        first = self.row_of(down, across)
        high = self.down.elements(self.tile[0], down) if height is None else height
        return Rows(memory=self.memory, first=first, end=first + (blocks - 1) * self.down.block + high)

    def transfer(self, down: int, across: int, blocks: int, *, height: int, shared: bool = False) -> Transfer:
        """Return the transfer of ``blocks`` blocks side by side; ``shared``: one row in DRAM for all rows."""
        return Transfer(
            address=self.place_of(down, across, shared=shared),
            stride_bytes=self.columns * self.element_bytes,
            rows=1 if shared else height,
            row_bytes=self.across.elements(self.tile[1], across, blocks) * self.element_bytes,
            first_row=self.row_of(down, across),
            blocks=blocks,
            copies=height if shared else 1,
        )


def load(matrix: Matrix, down: int, across: int, blocks: int, *, height: int, shared: bool = False) -> Command:
    """Return the command that loads ``blocks`` blocks side by side, ``height`` rows of each."""
    return Command(
        unit="load",
        kind="move",
        writes=matrix.rows(down, across, height=height, blocks=blocks),
        transfer=matrix.transfer(down, across, blocks, height=height, shared=shared),
    )


def store(matrix: Matrix, down: int, across: int, blocks: int) -> Command:
    """Return the command that stores the results of ``blocks`` blocks side by side."""
    height = matrix.down.elements(matrix.tile[0], down)
    return Command(
        unit="store",
        kind="move",
        reads=(matrix.rows(down, across, blocks=blocks),),
        transfer=matrix.transfer(down, across, blocks, height=height),
    )


def together(across: int, element_bytes: int, block: int, request_bytes: int) -> int:
    """Return how many of ``across`` blocks of a tile one command moves: what a request holds, one at least."""
    return min(across, max(request_bytes // (block * element_bytes), 1))
