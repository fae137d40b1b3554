"""The product that is computed, where its matrices lie in DRAM, and the blocks into which the programs cut it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Literal

from hwsim.errors import ConfigError, MappingError
from hwsim.hardware.accelerator import Accelerator

Bias = Literal["none", "full", "row"]
PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """``C[m, n] = A[m, k] . B[k, n] + D``, all matrices row by row.

    Args:
        m, k, n: sizes.
        bias: no D; a full ``[m, n]`` one; or one row that all rows share.
        operand_bytes: of an element of A and B.
        sum_bytes: of an element of D, and of C where it leaves without requantization.
        wide_result: C leaves as it is in the accumulator; else as operands.
    """

    m: int
    k: int
    n: int
    bias: Bias = "none"
    operand_bytes: int = 1
    sum_bytes: int = 4
    wide_result: bool = False

    def __post_init__(self) -> None:
        if min(self.m, self.k, self.n, self.operand_bytes, self.sum_bytes) < 1:
            raise MappingError(f"work: sizes and widths must be positive, not {self.m} x {self.k} x {self.n}")

    @property
    def result_bytes(self) -> int:
        """Bytes of an element of C in DRAM."""
        return self.sum_bytes if self.wide_result else self.operand_bytes

    def addresses(self) -> dict[str, int]:
        """Return where each matrix begins: one after the other, each at a page."""
        sizes = {
            "a": self.m * self.k * self.operand_bytes,
            "b": self.k * self.n * self.operand_bytes,
            "d": self.m * self.n * self.sum_bytes,
            "c": 0,
        }
        starts, end = {}, PAGE_BYTES
        for name, size in sizes.items():
            starts[name] = end
            end += -(-size // PAGE_BYTES) * PAGE_BYTES
        return starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The on-chip memories as rows of one block's width: operands in banks, and partial sums in banks."""

    block: int
    operand_rows: int
    operand_bank_rows: int
    sum_rows: int
    sum_bank_rows: int

    @classmethod
    def of(cls, accelerator: Accelerator, work: Work) -> Stores:
        """Return the memories of a machine.

        Raises:
            ConfigError: an array that is not square, or operands of A and B in different memories.
        """
        array = accelerator.array
        operands, sums = accelerator.memory_of("weight"), accelerator.memory_of("psum")
        problems = []
        if array.rows != array.columns:
            problems.append(f"decoupled: the array must be square, not {array.rows} x {array.columns}")
        if accelerator.memory_of("ifmap") is not operands:
            problems.append("decoupled: ifmap and weight must share one memory; let one [[memory]] hold both")
        if problems:
            raise ConfigError(accelerator.name, problems)
        rows = operands.size_bytes // (array.columns * work.operand_bytes)
        sum_rows = sums.size_bytes // (array.columns * work.sum_bytes)
        return cls(
            block=array.rows,
            operand_rows=rows,
            operand_bank_rows=rows // operands.banks,
            sum_rows=sum_rows,
            sum_bank_rows=sum_rows // sums.banks,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One dimension in blocks, and the blocks in tiles.

    Args:
        size: elements.
        block: elements of a block.
        tile: blocks of a tile; the last tile may be smaller.
    """

    size: int
    block: int
    tile: int

    @property
    def tiles(self) -> int:
        """Tiles along the dimension."""
        return -(-self.blocks // self.tile)

    @property
    def blocks(self) -> int:
        """Blocks along the dimension."""
        return -(-self.size // self.block)

    def of_tile(self, index: int) -> int:
        """Return the blocks of a tile."""
        return min(self.tile, self.blocks - index * self.tile)

    def elements(self, tile: int, first: int, blocks: int = 1) -> int:
        """Return the elements, padding left out, of ``blocks`` blocks from block ``first`` of a tile on."""
        start = (tile * self.tile + first) * self.block
        return min(blocks * self.block, self.size - start)


def cuts(work: Work, stores: Stores, halves: int) -> tuple[Cut, Cut, Cut]:
    """Return (m, n, k) cut into the tiles that fill one of ``halves`` equal parts of the memories.

    Tiles begin as a square of partial sums and the k that fits a quarter (one half: a half) of the operands' memory,
    then grow by one block in n, m and k in turn as long as they fit (``tiled_matmul_auto`` of gemmini-rocc-tests).
    """
    block = stores.block
    blocks = [-(-size // block) for size in (work.m, work.n, work.k)]
    operand_blocks, sum_blocks = stores.operand_rows // halves // block, stores.sum_rows // halves // block
    square = isqrt(stores.sum_rows // halves // block)
    deep = stores.operand_rows // 2 // halves // block // max(square, 1)
    tile = [min(count, limit) for count, limit in zip(blocks, (square, square, deep), strict=True)]

    def fits(m: int, n: int, k: int) -> bool:
        return (m + n) * k <= operand_blocks and m * n <= sum_blocks

    if not min(tile) or not fits(*tile):
        raise MappingError(f"decoupled: no tile of {block} x {block} blocks fits the memories; make them larger")
    grown = True
    while grown:
        grown = False
        for axis in (1, 0, 2):
            larger = [count + (index == axis) for index, count in enumerate(tile)]
            if larger[axis] <= blocks[axis] and fits(*larger):
                tile, grown = larger, True
    m, n, k = (
        Cut(size=size, block=block, tile=count) for size, count in zip((work.m, work.n, work.k), tile, strict=True)
    )
    return m, n, k
