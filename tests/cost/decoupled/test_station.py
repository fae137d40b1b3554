"""Queues: who enters when, who waits for whom."""

import pytest

from hwsim.cost.decoupled.agenda import Agenda
from hwsim.cost.decoupled.commands import Command, Program, Rows
from hwsim.cost.decoupled.station import Station
from hwsim.hardware.decoupled import DecoupledUnits

UNITS = DecoupledUnits(load_queue=2)
RUN_CYCLES = 100


def rows(first, end, memory="operands"):
    return Rows(memory=memory, first=first, end=end)


def load(first, end, **keys):
    return Command(unit="load", kind="move", writes=rows(first, end), **keys)


def compute(*read, **keys):
    return Command(unit="execute", kind="compute", reads=read, **keys)


def issued(program, units=UNITS):
    """Run a program on units that take 100 cycles each, in parallel; return (command, cycle of its issue) in order."""
    agenda, found = Agenda(), []

    def run(cycle, entry):
        found.append((entry.command, cycle))
        agenda.at(cycle + RUN_CYCLES, station.ends, entry)

    station = Station(agenda, program, units, dict.fromkeys(("load", "execute", "store"), run))
    agenda.run()
    assert not station.left
    return found


def test_a_full_queue_keeps_the_host_waiting():
    program = Program(streams=((load(0, 1), load(1, 2), load(2, 3), compute(rows(9, 10))),))
    assert [cycle for _, cycle in issued(program)] == [1, 2, 103, 104]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (load(0, 16), compute(rows(8, 24))),
        (compute(rows(8, 24)), load(0, 16)),
        (load(0, 16), Command(unit="execute", kind="preload", writes=rows(15, 16))),
    ],
    ids=["read after write", "write after read", "write after write"],
)
def test_rows_in_common_order_two_units(first, second):
    assert [cycle for _, cycle in issued(Program(streams=((first, second),)))] == [1, 1 + RUN_CYCLES + 1]


def test_rows_apart_or_in_another_memory_do_not():
    program = Program(streams=((load(0, 16), compute(rows(16, 32), rows(0, 16, "sums"))),))
    assert [cycle for _, cycle in issued(program)] == [1, 2]


def test_the_first_stream_that_can_gives_out_a_command():
    stores = (Command(unit="store", kind="move", after=((1, 2),)),)
    computes = (compute(), compute())
    found = issued(Program(streams=(stores, computes, (load(0, 1),)), loops=1, start=10))
    begin = 10 + UNITS.loop_cycles
    assert [(command.unit, cycle - begin) for command, cycle in found] == [
        ("execute", 1),
        ("execute", 2),
        ("store", 3),
        ("load", 4),
    ]


def test_the_third_loop_takes_the_place_of_the_first():
    loads = tuple(compute(loop=loop) for loop in range(3))
    cycles = [cycle for _, cycle in issued(Program(streams=(loads,), loops=3, start=0))]
    first, second = UNITS.loop_cycles, UNITS.loop_cycles + UNITS.loop_commands
    assert cycles == [first + 1, second + 1, first + UNITS.loop_turn_cycles + 1]
