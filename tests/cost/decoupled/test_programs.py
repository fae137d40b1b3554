"""Programs load what is multiplied, multiply every block once, and store every result once; within the memories."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.decoupled import Work
from hwsim.cost.decoupled.run import program_of
from hwsim.cost.decoupled.work import Stores, cuts
from hwsim.errors import MappingError
from hwsim.hardware import load_accelerator

SMALL = ["memory.scratchpad.size_bytes=8192", "memory.accumulator.size_bytes=8192"]
MACHINES = {
    small: [load_accelerator(name, overrides=SMALL if small else []) for name in ("gemmini_16x16", "gemmini_16x16_os")]
    for small in (True, False)
}

works = st.builds(
    Work,
    m=st.integers(1, 100),
    k=st.integers(1, 100),
    n=st.integers(1, 100),
    bias=st.sampled_from(["none", "full", "row"]),
    wide_result=st.booleans(),
)
machines = st.sampled_from([machine for pair in MACHINES.values() for machine in pair])


@given(works, machines)
@settings(deadline=None, max_examples=60)
def test_blocks(work, machine):
    program, stores = program_of(work, machine), Stores.of(machine, work)
    commands = [command for stream in program.streams for command in stream]
    block = stores.block
    blocks = [-(-size // block) for size in (work.m, work.n, work.k)]
    pairs = [command for command in commands if command.unit == "execute" and command.kind != "configure"]
    assert [command.kind for command in pairs] == ["preload", "compute"] * (len(pairs) // 2)
    assert len(pairs) == 2 * blocks[0] * blocks[1] * blocks[2]
    assert sum(command.vectors for command in pairs[1::2]) == work.m * blocks[1] * blocks[2]
    limits = {"operands": stores.operand_rows, "sums": stores.sum_rows}
    for command in commands:
        for rows in (*command.reads, *([command.writes] if command.writes else [])):
            assert 0 <= rows.first < rows.end <= limits[rows.memory]


@given(works, machines)
@settings(deadline=None, max_examples=60)
def test_every_result_is_stored_once(work, machine):
    at, stored = work.addresses()["c"], []
    for stream in program_of(work, machine).streams:
        for command in stream:
            if command.unit == "store" and command.transfer:
                move = command.transfer
                for row in range(move.rows):
                    start = move.address + row * move.stride_bytes - at
                    stored += range(start, start + move.row_bytes)
    assert sorted(stored) == list(range(work.m * work.n * work.result_bytes))


@given(works, machines)
@settings(deadline=None, max_examples=60)
def test_what_is_read_was_loaded_before(work, machine):
    """In program order, and for loops in the order that ``after`` enforces: loads first."""
    program = program_of(work, machine)
    loads = next(i for i in reversed(range(len(program.streams))) if any(c.unit == "load" for c in program.streams[i]))
    given_out, loaded, pending = 0, set(), list(program.streams[loads])
    for stream in program.streams:
        for command in stream:
            if len(program.streams) == 1 and command.unit == "load" and command.writes:
                loaded |= {(command.writes.memory, row) for row in range(command.writes.first, command.writes.end)}
            needed = max((count for number, count in command.after if number == loads), default=0)
            while given_out < needed:
                writes = pending[given_out].writes
                loaded |= {(writes.memory, row) for row in range(writes.first, writes.end)}
                given_out += 1
            if command.unit == "execute":
                for rows in command.reads:
                    assert (rows.memory, rows.first) in loaded
                    assert (rows.memory, rows.end - 1) in loaded


def test_tiles_of_the_published_command_stream():
    machine = load_accelerator("gemmini_16x16")
    work = Work(m=512, k=64, n=64)
    m, n, k = cuts(work, Stores.of(machine, work), halves=2)
    assert (m.tile, n.tile, k.tile) == (8, 4, 4)
    assert (m.tiles, n.tiles, k.tiles) == (4, 1, 1)


def test_memories_without_room_for_a_block():
    machine = load_accelerator("gemmini_16x16", overrides=["memory.accumulator.size_bytes=1024"])
    with pytest.raises(MappingError, match="no tile of 16 x 16 blocks fits"):
        program_of(Work(m=16, k=16, n=16), machine)
