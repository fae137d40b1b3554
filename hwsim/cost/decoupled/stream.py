"""Output-stationary programs: the host gives out every command in order, one a cycle.

Per tile: the bias, B, A, then for each block of results all of k, then the stores (``sp_tiled_matmul_os`` of
gemmini-rocc-tests). The matrix that enters transposed is read with the preload, the other one with the compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hwsim.cost.decoupled.commands import Command, Program
from hwsim.cost.decoupled.moves import Matrix, load, store, together
from hwsim.cost.decoupled.work import Stores, Work, cuts
from hwsim.hardware.decoupled import DecoupledUnits

CONFIGURE_LOAD = Command(unit="load", kind="configure")
BEGIN = (
    Command(unit="execute", kind="configure"),
    Command(unit="store", kind="configure"),
    CONFIGURE_LOAD,
    CONFIGURE_LOAD,
    CONFIGURE_LOAD,
)


def host_program(work: Work, stores: Stores, units: DecoupledUnits) -> Program:
    """Return the program of an output-stationary product."""
    commands = [*BEGIN, *_tiles(work, stores, units)]
    stream = (replace(command, arrival=1 + units.command_cycles + i) for i, command in enumerate(commands))
    return Program(streams=(tuple(stream),))


def _tiles(work: Work, stores: Stores, units: DecoupledUnits) -> Iterator[Command]:
    m, n, k = cuts(work, stores, halves=1)
    at = work.addresses()
    for i in range(m.tiles):
        for j in range(n.tiles):
            for p in range(k.tiles):
                rows_b = k.of_tile(p) * n.of_tile(j) * stores.block
                a = Matrix(
                    address=at["a"], columns=work.k, element_bytes=work.operand_bytes,
                    down=m, across=k, tile=(i, p), first_row=0, memory="operands",
                )  # fmt: skip
                b = Matrix(
                    address=at["b"], columns=work.n, element_bytes=work.operand_bytes,
                    down=k, across=n, tile=(p, j), first_row=stores.operand_rows - rows_b, memory="operands",
                )  # fmt: skip
                c = Matrix(
                    address=at["c"], columns=work.n, element_bytes=work.result_bytes,
                    down=m, across=n, tile=(i, j), first_row=0, memory="sums",
                )  # fmt: skip
                if work.bias != "none" and p == 0:
                    yield from _bias(replace(c, address=at["d"], element_bytes=work.sum_bytes), work, units)
                yield from _loads(a, b, work, units)
                yield from _blocks(a, b, c, adds=work.bias != "none" or p > 0)
                if p == k.tiles - 1:
                    yield from (
                        store(c, down, across, 1) for down in range(c.blocks[0]) for across in range(c.blocks[1])
                    )


def _bias(d: Matrix, work: Work, units: DecoupledUnits) -> Iterator[Command]:
    yield CONFIGURE_LOAD
    m, n = d.blocks
    side = together(n, work.sum_bytes, d.down.block, units.request_bytes)
    for i in range(m):
        for j in range(0, n, side):
            height = d.down.elements(d.tile[0], i)
            yield load(d, i, j, min(side, n - j), height=height, shared=work.bias == "row")


def _loads(a: Matrix, b: Matrix, work: Work, units: DecoupledUnits) -> Iterator[Command]:
    (m, k), n, block = a.blocks, b.blocks[1], a.down.block
    yield CONFIGURE_LOAD
    side = together(n, work.operand_bytes, block, units.request_bytes)
    for j in range(0, n, side):
        for p in range(k):
            yield load(b, p, j, min(side, n - j), height=b.down.elements(b.tile[0], p))
    yield CONFIGURE_LOAD
    side = together(k, work.operand_bytes, block, units.request_bytes)
    for i in range(m):
        for p in range(0, k, side):
            yield load(a, i, p, min(side, k - p), height=a.down.elements(a.tile[0], i))


def _blocks(a: Matrix, b: Matrix, c: Matrix, *, adds: bool) -> Iterator[Command]:
    (m, k), n = a.blocks, b.blocks[1]
    for i in range(m):
        for j in range(n):
            for p in range(k):
                streamed = a.rows(i, p)
                vectors = streamed.end - streamed.first
                yield Command(
                    unit="execute",
                    kind="preload",
                    writes=c.rows(i, j) if p == k - 1 else None,
                    vectors=vectors,
                    accumulates=adds,
                )
                yield Command(unit="execute", kind="compute", reads=(streamed, b.rows(p, j)), vectors=vectors)
