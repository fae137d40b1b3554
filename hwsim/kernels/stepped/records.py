"""What the stepped kernel reads and writes: plain tuples of arrays and integers.

R rows, C columns, F folds, P ports through which results leave: C at the bottom, R at the right, or R x C where every
element is read out. *Lane* is the integer type of the registers: int32 or int64.
"""

from __future__ import annotations

from typing import Any, NamedTuple

# Bits of the control word that enters at the left of a row and moves right with the operands.
USE, CHAIN, SHIFT, FIRST, RESULT = 1, 2, 4, 8, 16
CONTROL = {"use": USE, "chain": CHAIN, "shift": SHIFT, "first": FIRST, "result": RESULT}

# How results leave.
BOTTOM, RIGHT, PARALLEL = 0, 1, 2

# The sequencer's registers.
CYCLE, STARTED, LEFT, VECTOR, OP, OP_LEFT, EXPECTED, SEEN, SEQUENCER_SIZE = range(9)

# A command of the sequencer: control bits, streamed vector, row of the chain's input; -1 for none.
BITS, STREAM, ROW, COMMAND_SIZE = range(4)

# What the sequencer knows of a fold.
VECTORS, CYCLES, OFFSET, RESULTS, ALONE, FOLD_SIZE = range(6)


class Geometry(NamedTuple):
    """The array as built.

    Args:
        rows, columns: R and C.
        hop: cycles from one row to the next, of operands, moving partial sums, chain and control.
        multiplier: registers between multiplier and adder.
        latency: registers behind the last adder: those inside the adder and the fixed ones.
        accumulates: whether the partial sum stays in the element (else the stationary operand does).
        exit: BOTTOM, RIGHT or PARALLEL.
        low, high, mask: limits of the partial sum; ``mask`` is ``high - low`` of a sum that wraps, else -1.
    """

    rows: int
    columns: int
    hop: int
    multiplier: int
    latency: int
    accumulates: bool
    exit: int
    low: Any
    high: Any
    mask: Any


class Rules(NamedTuple):
    """What the sequencer goes by.

    Args:
        banks: stationary registers of an element, 1 or 2.
        chain_cycles: of one pass of the chain, in which a stationary operand enters or results leave.
        first_pass, passes: numbers of the first pass and of the one after the last: pass j brings fold j and takes j - banks.
        loads, drains: whether passes bring operands, and take results.
        load_waits: whether a pass must wait until all results have left.
    """

    banks: int
    chain_cycles: int
    first_pass: int
    passes: int
    loads: bool
    drains: bool
    load_waits: bool


class Schedule(NamedTuple):
    """The sequencer's work.

    Args:
        folds: int64 ``[F, FOLD_SIZE]``: streamed vectors, cycles of the stream (whole blocks), first vector among all,
            results that leave through all ports together, and whether the fold waits until all before it have left.
        rules: what it goes by.
    """

    folds: Any
    rules: Rules


class Feed(NamedTuple):
    """What waits at the edges, all folds one after the other, in lanes.

    Args:
        left: streamed vectors ``[V, R]``.
        top: what enters with them from above ``[V, C]``: operands, or first partial sums; ``[0, C]`` where zeros enter.
        chain: rows that the chain brings in, in their order ``[F R, C]``; ``[0, C]`` where none.
    """

    left: Any
    top: Any
    chain: Any


class Layout(NamedTuple):
    """Where the planes begin in ``Registers.memory``; element (r, c) of a plane is at ``r C + c``.

    Shift registers are rings of slots, a power of two and more than their depth: what was written in cycle t is in slot
    ``t mod slots``. Each ring has its start and its slots.

    Args:
        operand: at the multipliers, moving right; planes of R C.
        control: control words, moving right; planes of R C, kept for ``max(1, multiplier)`` cycles.
        vertical: what moves down: after row r at row r + 1, the top edge at row 0; planes of (R + 1) C, ``hop`` cycles.
        link: what the chain hands on, laid out as ``vertical``; to the right: element by element.
        product: planes of R C, ``multiplier`` cycles.
        output: P, ``latency`` cycles.
        valid: P, ``multiplier + latency`` cycles.
        held: the two stationary registers; planes of R C.
        total: the adders' results of this cycle where partial sums stay: wires, not registers; a plane of R C.
        ports: P.
    """

    operand: int
    control: int
    control_slots: int
    vertical: int
    vertical_slots: int
    link: int
    link_slots: int
    product: int
    product_slots: int
    output: int
    output_slots: int
    valid: int
    valid_slots: int
    held: int
    total: int
    ports: int


class Registers(NamedTuple):
    """All registers.

    Args:
        memory: those of the array in lanes, flat; ``Layout`` says where.
        sequencer: int64 ``[SEQUENCER_SIZE]``.
        commands: int64 ``[a power of two, COMMAND_SIZE]``.
    """

    memory: Any
    sequencer: Any
    commands: Any


class Log(NamedTuple):
    """What an observer at the edges writes down.

    Args:
        values: results in the order in which they leave each port, lane ``[n, P]``.
        value_cycles: the cycle in which each left, int64 ``[n, P]``.
        counts: results that left each port, int64 ``[P]``.
        stream_cycles: in which each vector entered the first row, and the last row, int64 ``[V, 2]``.
        pass_cycles: in which each pass of the chain began, int64 ``[passes]``.
        left, top, chain, control: edge inputs of each cycle, lane ``[cycles, R or C]``; no rows where no trace is kept.
        output, valid: edge outputs of each cycle, lane ``[cycles, P]``.
    """

    values: Any
    value_cycles: Any
    counts: Any
    stream_cycles: Any
    pass_cycles: Any
    left: Any
    top: Any
    chain: Any
    control: Any
    output: Any
    valid: Any
