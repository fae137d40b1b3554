"""Which integer type holds every register exactly, and registers and logs at reset."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.stepped import Feed, Geometry, Layout, Log, Registers, Schedule
from hwsim.kernels.stepped.records import (
    BITS,
    COMMAND_SIZE,
    OFFSET,
    OP,
    PARALLEL,
    RESULTS,
    RIGHT,
    SEQUENCER_SIZE,
    VECTORS,
)
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.stepped.fold import Placement


class Reach(NamedTuple):
    """Bounds on magnitudes: of operands, of a product or first partial sum, and of any exact partial sum."""

    operand: int
    product: int
    total: int


def reach(placements: list[Placement], accumulates: bool) -> Reach:
    """Return how far the registers of these folds can get."""
    found = Reach(0, 0, 0)
    for placed in placements:
        left, top, held = (0 if x is None else magnitude(x) for x in (placed.left, placed.top, placed.held))
        factor, start = (top, held) if accumulates else (held, top)
        total = placed.left.shape[0 if accumulates else 1] * left * factor + start
        here = (max(left, top, held), max(left * factor, start), total)
        found = Reach(*map(max, found, here))
    return found


def choose(placements: list[Placement], accumulates: bool, psum: Accumulator) -> type[np.generic]:
    """Return the narrowest lanes in which every register is exact; Python ints (object) where 64 bits do not do.

    Sums that wrap may wrap in the lanes, too: only the register's own width counts.
    """
    found = reach(placements, accumulates)
    for lane in (np.int32, np.int64):
        limits = np.iinfo(lane)
        wraps = psum.overflow is Overflow.WRAP and (psum.bits or 64) <= limits.bits
        held = psum.maximum + 1 + found.product if psum.overflow is Overflow.SATURATE else found.total
        if found.operand <= limits.max and (wraps or min(held, found.total) <= limits.max):
            return lane
    return np.object_


def feed(built: Geometry, plan: Schedule, placements: list[Placement], lane: type[np.generic]) -> Feed:
    """Lay the folds one after the other, zeros in unused rows and columns; the chain brings the last row first."""
    rows, columns = built.rows, built.columns
    has_top, has_held = (any(getattr(placed, name) is not None for placed in placements) for name in ("top", "held"))
    vectors = int(plan.folds[:, VECTORS].sum())
    left = np.zeros((vectors, rows), lane)
    top = np.zeros((vectors if has_top else 0, columns), lane)
    chain = np.zeros((len(placements) if has_held else 0, rows, columns), lane)
    for number, placed in enumerate(placements):
        begin = plan.folds[number, OFFSET]
        end = begin + plan.folds[number, VECTORS]
        left[begin:end, : placed.left.shape[1]] = placed.left
        if placed.top is not None:
            top[begin:end, : placed.top.shape[1]] = placed.top
        if placed.held is not None:
            used, width = placed.held.shape
            chain[number, rows - used :, :width] = placed.held[::-1]
    return Feed(left=left, top=top, chain=chain.reshape(-1, columns))


def leaves_right(built: Geometry) -> bool:
    """Whether the chain runs to the right."""
    return bool(built.exit == RIGHT)


def ports(built: Geometry) -> int:
    """Return through how many ports results leave."""
    return {RIGHT: built.rows, PARALLEL: built.rows * built.columns}.get(built.exit, built.columns)


def _slots(depth: int) -> int:
    """Return the slots of a ring that keeps a value for ``depth`` cycles: the next power of two."""
    return 1 << depth.bit_length()


def layout(built: Geometry) -> tuple[Layout, int]:
    """Return where each plane begins in the registers' memory, and the memory's length."""
    size, tall, count = built.rows * built.columns, (built.rows + 1) * built.columns, ports(built)
    rings = {
        "operand": (2, size),
        "control": (_slots(max(1, built.multiplier)), size),
        "vertical": (_slots(built.hop), tall),
        "link": (_slots(built.hop), tall),
        "product": (_slots(built.multiplier), size),
        "output": (_slots(built.latency), count),
        "valid": (_slots(built.multiplier + built.latency), count),
        "held": (2, size),
        "total": (1, size),
    }
    begin = 0
    fields: dict[str, int] = {}
    for name, (slots, plane) in rings.items():
        fields |= {name: begin, f"{name}_slots": slots}
        begin += slots * plane
    return Layout(ports=count, **{name: value for name, value in fields.items() if name in Layout._fields}), begin


def reset(built: Geometry, plan: Schedule, lane: type[np.generic]) -> Registers:
    """Return the registers after reset: zeros, and a sequencer before its first fold."""
    commands = np.full((_slots(built.hop * built.rows + built.columns + built.multiplier), COMMAND_SIZE), -1, np.int64)
    commands[:, BITS] = 0
    sequencer = np.zeros(SEQUENCER_SIZE, np.int64)
    sequencer[OP] = plan.rules.first_pass
    return Registers(memory=np.zeros(layout(built)[1], lane), sequencer=sequencer, commands=commands)


def log(built: Geometry, plan: Schedule, lane: type[np.generic], traced_cycles: int = 0) -> Log:
    """Return an empty log with room for all results, and for a trace of ``traced_cycles``."""
    count = ports(built)
    per_port = int(plan.folds[:, RESULTS].sum()) // count
    edges = {
        name: np.zeros((traced_cycles, width), lane)
        for name, width in (
            ("left", built.rows), ("control", built.rows), ("top", built.columns), ("chain", built.columns),
            ("output", count), ("valid", count),
        )
    }  # fmt: skip
    return Log(
        values=np.zeros((per_port, count), lane),
        value_cycles=np.zeros((per_port, count), np.int64),
        counts=np.zeros(count, np.int64),
        stream_cycles=np.zeros((int(plan.folds[:, VECTORS].sum()), 2), np.int64),
        pass_cycles=np.zeros(max(plan.rules.passes, 0), np.int64),
        **edges,
    )
