"""Weight-stationary programs: a hardware loop per tile gives out loads, execute commands and stores side by side.

The loop nest is k, n, m (outermost first) over the blocks of a tile, as in Gemmini's LoopMatmul. Two loops are active at a
time, each with half of either memory. Loads run in front of what needs them, stores behind what makes their results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwsim.cost.decoupled.commands import LOOPS, Command, Program, Rows
from hwsim.cost.decoupled.moves import Matrix, load, store, together
from hwsim.cost.decoupled.work import Stores, Work, cuts
from hwsim.hardware.decoupled import DecoupledUnits

STORE, EXECUTE, BIAS, LOAD = range(4)
CONFIGURATIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tile:
    """One loop: its matrices and its place in the program."""

    a: Matrix
    b: Matrix
    c: Matrix
    bias: Matrix | None
    loads_a: bool
    loads_b: bool
    first_k: bool
    last_k: bool


def loop_program(work: Work, stores: Stores, units: DecoupledUnits) -> Program:
    """Return the program of a weight-stationary product."""
    streams: list[list[Command]] = [[], [], [], []]
    tiles = _tiles(work, stores)
    for number, tile in enumerate(tiles):
        for stream, commands in enumerate(_commands(tile, work, units, [len(stream) for stream in streams])):
            streams[stream] += [replace(command, loop=number) for command in commands]
    start = CONFIGURATIONS + units.loop_commands
    return Program(streams=tuple(tuple(stream) for stream in streams), loops=len(tiles), start=start)


def _tiles(work: Work, stores: Stores) -> list[_Tile]:
    """Return the loops of a product: for each m tile, for each n tile, for each k tile.

    An operand that is used again and fits its two halves is loaded once.
    """
    m, n, k = cuts(work, stores, halves=LOOPS)
    at, half = work.addresses(), stores.operand_rows // 2
    keeps_a, keeps_b = m.tiles * k.tiles <= 2, n.tiles * k.tiles <= 2
    tiles: list[_Tile] = []
    for i in range(m.tiles):
        for j in range(n.tiles):
            for p in range(k.tiles):
                turn = len(tiles) % 2
                rows_b = k.of_tile(p) * n.of_tile(j) * stores.block
                half_a = min(i + p, 1) if keeps_a else turn
                half_b = min(j + p, 1) if keeps_b else turn
                sums = (i * n.tiles + j) % 2 * (stores.sum_rows // 2)
                result = Matrix(
                    address=at["c"], columns=work.n, element_bytes=work.result_bytes,
                    down=m, across=n, tile=(i, j), first_row=sums, memory="sums",
                )  # fmt: skip
                left = Matrix(
                    address=at["a"], columns=work.k, element_bytes=work.operand_bytes,
                    down=m, across=k, tile=(i, p), first_row=half_a * half, memory="operands",
                )  # fmt: skip
                right = Matrix(
                    address=at["b"], columns=work.n, element_bytes=work.operand_bytes,
                    down=k, across=n, tile=(p, j), first_row=(half_b + 1) * half - rows_b, memory="operands",
                )  # fmt: skip
                bias = (
                    None if work.bias == "none" or p else replace(result, address=at["d"], element_bytes=work.sum_bytes)
                )
                tiles.append(
                    _Tile(
                        a=left,
                        b=right,
                        c=result,
                        bias=bias,
                        loads_a=not (keeps_a and j),
                        loads_b=not (keeps_b and i),
                        first_k=p == 0,
                        last_k=p == k.tiles - 1,
                    )
                )
    return tiles


def _commands(tile: _Tile, work: Work, units: DecoupledUnits, given: list[int]) -> tuple[list[Command], ...]:
    """Return a loop's commands by stream; ``given`` counts those of earlier loops, of each stream."""
    (m, k), n, block = tile.a.blocks, tile.b.blocks[1], tile.a.down.block
    side_a = together(k, work.operand_bytes, block, units.request_bytes)
    side_b = together(n, work.operand_bytes, block, units.request_bytes)
    loads, done_a, done_b = _loads(tile, side_a, side_b)
    bias = _bias(tile, work, units)
    execute: list[Command] = []
    for p in range(k):
        for j in range(n):
            for i in range(m):
                after: list[tuple[int, int]] = []
                if tile.loads_a:
                    row = i if p % side_a == 0 else m - 1
                    after.append((LOAD, given[LOAD] + done_a[p // side_a * side_a, row]))
                if tile.loads_b:
                    after.append((LOAD, given[LOAD] + done_b[p, j // side_b * side_b]))
                if bias:
                    after.append((BIAS, given[BIAS] + len(bias)))
                adds = p > 0 or not tile.first_k or work.bias != "none"
                weights = (tile.b.rows(p, j),) if i == 0 else ()
                execute += _pair(tile.a.rows(i, p), weights, tile.c.rows(i, j), adds, tuple(after))
    stores = []
    if tile.last_k:
        side = together(n, work.result_bytes, block, units.request_bytes)
        for j in range(0, n, side):
            for i in range(m):
                count = min(side, n - j)
                made = given[EXECUTE] + 2 * (((k - 1) * n + j + count - 1) * m + i + 1)
                stores.append(replace(store(tile.c, i, j, count), after=((EXECUTE, made),)))
    return stores, execute, bias, loads


def _pair(
    streamed: Rows, stationary: tuple[Rows, ...], results: Rows, adds: bool, after: tuple[tuple[int, int], ...]
) -> tuple[Command, Command]:
    """Return the preload and the compute of one block."""
    vectors = streamed.end - streamed.first
    preload = Command(
        unit="execute",
        kind="preload",
        writes=results,
        reads=stationary,
        vectors=vectors,
        accumulates=adds,
        after=after,
    )
    return preload, Command(unit="execute", kind="compute", reads=(streamed,), vectors=vectors, after=after)


def _loads(
    tile: _Tile, side_a: int, side_b: int
) -> tuple[list[Command], dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """Return the loads of both operands in order, and after how many of them each block of A (k, m) and B (k, n) is out.

    B comes first; then whichever operand is behind in k. B is loaded in full blocks, padding included.
    """
    (m, k), n, block = tile.a.blocks, tile.b.blocks[1], tile.a.down.block
    left_a = [(p, i) for p in range(0, k, side_a) for i in range(m)] if tile.loads_a else []
    left_b = [(p, j) for p in range(k) for j in range(0, n, side_b)] if tile.loads_b else []
    left_a.reverse()
    left_b.reverse()
    loads: list[Command] = []
    done_a: dict[tuple[int, int], int] = {}
    done_b: dict[tuple[int, int], int] = {}
    while left_a or left_b:
        if left_b and (not left_a or left_a[-1][0] > left_b[-1][0] or left_b[-1] == (0, 0)):
            p, j = left_b.pop()
            loads.append(load(tile.b, p, j, min(side_b, n - j), height=block))
            done_b[p, j] = len(loads)
        else:
            p, i = left_a.pop()
            height = tile.a.down.elements(tile.a.tile[0], i)
            loads.append(load(tile.a, i, p, min(side_a, k - p), height=height))
            done_a[p, i] = len(loads)
    return loads, done_a, done_b


def _bias(tile: _Tile, work: Work, units: DecoupledUnits) -> list[Command]:
    """Return the loads of the bias into the partial sums, column of blocks by column of blocks."""
    if tile.bias is None:
        return []
    m, n = tile.bias.blocks
    side = together(n, work.sum_bytes, tile.bias.down.block, units.request_bytes)
    found = []
    for j in range(0, n, side):
        for i in range(m):
            height = tile.bias.down.elements(tile.bias.tile[0], i)
            found.append(load(tile.bias, i, j, min(side, n - j), height=height, shared=work.bias == "row"))
    return found
