"""Clock folds through the array, every register at every cycle, and note what leaves it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.hardware.parts import SystolicArray
from hwsim.kernels.operands import check_range
from hwsim.kernels.stepped import Feed, Geometry, Log, Registers, Schedule, run
from hwsim.kernels.stepped.records import CYCLE, CYCLES
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.stepped import lanes
from hwsim.stepped.fold import Fold, place
from hwsim.stepped.plan import geometry, schedule
from hwsim.stepped.record import SteppedRun, Trace
from hwsim.stepped.results import fold_records
from hwsim.stepped.twin import run_twin


class Prepared(NamedTuple):
    """An array as built, its sequencer's rules, what waits at its edges, and the type of its registers (object: Python ints)."""

    built: Geometry
    plan: Schedule
    feed: Feed
    lane: type[np.generic]


def run_folds(
    array: SystolicArray,
    folds: Sequence[Fold],
    *,
    psum: Accumulator,
    ifmap: IntFormat | None = None,
    weight: IntFormat | None = None,
    trace: bool = False,
) -> SteppedRun:
    """Clock ``folds`` one after the other through the array.

    Values come out of the moving registers: every addition is reduced to ``psum`` where it happens. Cycles are seen, not
    computed: a sequencer at the corner issues one command a cycle; loads and drains pass through a chain of stationary
    registers, of which each element has two where they overlap the computation.

    Args:
        array: rows, columns, dataflow, hops, latencies, drain and overlaps.
        folds: operands of each; at least one.
        psum: the register of the partial sums, and what happens at its ends.
        ifmap: the format that every ifmap must fit; None where it need not.
        weight: the same for weights.
        trace: keep the edges of every cycle.

    Raises:
        ExecutionError: no fold, one that is larger than the array, operands outside their formats, first partial sums
            outside ``psum``, or an array that cannot be stepped (an adder tree; preloads with a drain to the right).
    """
    ready = prepare(array, folds, psum=psum, ifmap=ifmap, weight=weight)
    if ready.lane is np.object_:
        return _slow(array, folds, ready, psum, trace)
    log = clocked(ready, lanes.log(ready.built, ready.plan, ready.lane))
    cycles = int(log.value_cycles.max()) + 1
    if trace:
        log = clocked(ready, lanes.log(ready.built, ready.plan, ready.lane, traced_cycles=cycles))
    edges = Trace(
        left=log.left, control=log.control, top=log.top, chain=log.chain, output=log.output, valid=log.valid != 0
    )
    return SteppedRun(
        folds=fold_records(array, folds, ready.plan, log.values, log.value_cycles, log.stream_cycles),
        cycles=cycles,
        pass_cycles=tuple(log.pass_cycles[ready.plan.rules.first_pass :].tolist()),
        trace=edges if trace else None,
    )


def prepare(
    array: SystolicArray,
    folds: Sequence[Fold],
    *,
    psum: Accumulator,
    ifmap: IntFormat | None = None,
    weight: IntFormat | None = None,
) -> Prepared:
    """Check and lay out ``folds``; arguments and errors are those of ``run_folds``."""
    if not folds:
        raise ExecutionError("stepped array: folds must be at least one, not none")
    for number, fold in enumerate(folds):
        for name, kind in (("ifmap", ifmap), ("weight", weight)):
            if kind is not None:
                check_range(f"fold {number}: {name}", getattr(fold, name), kind.minimum, kind.maximum)
        if fold.start is not None and psum.bits is not None:
            check_range(f"fold {number}: start", fold.start, psum.minimum, psum.maximum)
    placements = [place(array, fold, f"fold {number}") for number, fold in enumerate(folds)]
    preloads = array.flow.reduces_in_time and any(fold.start is not None for fold in folds)
    plan = schedule(array, [len(placed.left) for placed in placements], preloads)
    lane = lanes.choose(placements, array.flow.reduces_in_time, psum)
    built = geometry(array, psum, lane)
    return Prepared(built, plan, lanes.feed(built, plan, placements, lane), lane)


def register_states(ready: Prepared) -> Iterator[dict[str, np.ndarray]]:
    """Yield all registers after every cycle, as planes ``[depth, R, C]`` whose shift registers show the newest first.

    ``output`` and ``valid`` are ``[depth, P]``. The depth of ``vertical`` and ``link`` is that of a hop between two rows;
    ``product`` and ``control`` show this cycle's first, before any register.
    """
    registers = lanes.reset(ready.built, ready.plan, ready.lane)
    log = lanes.log(ready.built, ready.plan, ready.lane)
    done = False
    while not done:
        done = run(ready.built, lanes.layout(ready.built)[0], ready.plan, ready.feed, registers, log, 1)
        yield _planes(ready.built, registers)


def _planes(built: Geometry, registers: Registers) -> dict[str, np.ndarray]:
    """Return copies of the registers after the last cycle."""
    where, memory, t = lanes.layout(built)[0], registers.memory, int(registers.sequencer[CYCLE]) - 1
    size, tall = built.rows * built.columns, (built.rows + 1) * built.columns
    shape = (-1, built.rows, built.columns)
    step = 1 if lanes.leaves_right(built) else built.columns

    def newest(name: str, depth: int, plane: int, skip: int = 0, used: int = size) -> np.ndarray:
        slots, begin = getattr(where, f"{name}_slots", 2), getattr(where, name) + skip
        starts = [begin + plane * ((t - age) % slots) for age in range(depth)]
        return np.stack([memory[start : start + used] for start in starts])

    return {
        "operand": newest("operand", 1, size).reshape(shape),
        "control": newest("control", built.multiplier + 1, size).reshape(shape),
        "product": newest("product", built.multiplier + 1, size).reshape(shape),
        "vertical": newest("vertical", built.hop, tall, built.columns).reshape(shape),
        "link": newest("link", built.hop, tall, step).reshape(shape),
        "held": memory[where.held : where.held + 2 * size].reshape(shape).copy(),
        "output": newest("output", built.latency + 1, where.ports, used=where.ports),
        "valid": newest("valid", built.latency + built.multiplier + 1, where.ports, used=where.ports) != 0,
    }


def clocked(ready: Prepared, log: Log) -> Log:
    """Clock the array from reset until all results have left; return the filled ``log``."""
    built, plan = ready.built, ready.plan
    skew = (built.hop + 1) * built.rows + built.columns + built.multiplier + built.latency
    enough = int(plan.folds[:, CYCLES].sum()) + (len(plan.folds) + 2) * (skew + int(plan.rules.chain_cycles) + 2)
    registers = lanes.reset(built, plan, ready.lane)
    if not run(built, lanes.layout(built)[0], plan, ready.feed, registers, log, enough):
        raise AssertionError(f"the stepped array has not finished after {enough} cycles")
    return log


def _slow(array: SystolicArray, folds: Sequence[Fold], ready: Prepared, psum: Accumulator, trace: bool) -> SteppedRun:
    """Run the definition where registers need more than 64 bits."""
    twin, edges = run_twin(ready.built, ready.plan, ready.feed, psum)
    values, cycles = (np.array([[pair[part] for pair in port] for port in twin.results], object).T for part in (0, 1))
    names = ("left", "control", "top", "chain", "output")
    kept = {name: np.array([row[name] for row in edges], object) for name in names} if trace else {}
    valid = np.array([row["valid"] for row in edges], bool)
    return SteppedRun(
        folds=fold_records(array, folds, ready.plan, values, cycles.astype(np.int64), np.array(twin.stream_cycles)),
        cycles=len(edges),
        pass_cycles=tuple(twin.sequencer.pass_cycles[ready.plan.rules.first_pass :]),
        trace=Trace(valid=valid, **kept) if trace else None,
    )
