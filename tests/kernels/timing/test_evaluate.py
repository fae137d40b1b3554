"""The compiled timing equals the recurrence of ``hwsim.cost``, cycle for cycle and cause for cause."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost import traffic
from hwsim.cost.array_layer import array_cycles
from hwsim.cost.links import DRAM
from hwsim.cost.steps import steps_of
from hwsim.cost.transfers import beside, constant_words, moved_bits
from hwsim.kernels.timing import COUNTS, Counts, evaluate
from hwsim.schedule.choose import counts_of
from hwsim.schedule.records import block_records, part_records, records_of, tiling_record
from tests.cost.mapped import machines, mapped


@st.composite
def cases(draw):
    machine = draw(machines())
    return machine, draw(mapped(machine)), draw(st.sampled_from([0, 0, 3, 1000]))


def bits_over(mapping, machine, moves):
    """What a link carries, column constants, scales and a table included."""
    steps = steps_of(mapping, machine)
    return int(moved_bits(mapping, moves, beside(mapping, steps, moves, machine.datapath)).sum())


@settings(max_examples=300, deadline=None)
@given(cases())
def test_equals_the_recurrence(case):
    machine, mapping, prefetched = case
    cycles, idle_tail = array_cycles(mapping, machine, machine.datapath, prefetched)
    steps = steps_of(mapping, machine)
    counts = counts_of(records_of(mapping, machine, machine.datapath), mapping, prefetched)
    links = [moves for operand in ("weight", "ifmap") for moves in steps.loads[operand]] + list(steps.stores)
    moved = [bits_over(mapping, machine, moves) for moves in links]
    constants = int(traffic.constant_reads(steps).sum())
    expected = {
        Counts.END: cycles.total,
        Counts.COMPUTE: cycles.compute,
        Counts.FILL: cycles.fill,
        Counts.DRAIN: cycles.drain,
        Counts.STALL_IFMAP: cycles.stall_ifmap,
        Counts.STALL_WEIGHT: cycles.stall_weight,
        Counts.STALL_OFMAP: cycles.stall_ofmap,
        Counts.STALL_PORT: cycles.stall_port,
        Counts.STALL_REQUANTIZER: cycles.stall_requantizer,
        Counts.IDLE_TAIL: idle_tail,
        Counts.WEIGHT_READS: int(traffic.array_reads(mapping, steps, "weight").sum()),
        Counts.IFMAP_READS: int(traffic.array_reads(mapping, steps, "ifmap").sum()),
        Counts.PSUM_ACCESSES: int(traffic.psum_accesses(mapping, steps, machine.datapath).sum()),
        Counts.CONSTANT_READS: constants if constant_words(mapping.gemm, steps, machine.datapath).any() else 0,
        Counts.POSITION_READS: int(traffic.position_reads(mapping.gemm, steps, machine.datapath).sum()),
        Counts.SCALE_READS: int(traffic.scale_reads(mapping, steps).sum()),
        Counts.DRAM_BITS: sum(
            bits for bits, moves in zip(moved, links, strict=True) if DRAM in (moves.link.source, moves.link.target)
        ),
    }
    assert {name: int(counts[name]) for name in expected} == expected
    assert counts[Counts.MOVED : Counts.MOVED + len(moved)].tolist() == moved


@settings(deadline=None)
@given(cases(), st.integers(-3, 3))
def test_a_limit_only_stops_what_is_beyond_it(case, distance):
    machine, mapping, _ = case
    records = records_of(mapping, machine, machine.datapath)
    end = int(counts_of(records, mapping)[Counts.END])
    counts = np.zeros(COUNTS, np.int64)
    done = evaluate(
        records.layer, records.machine, records.memories, records.loads, records.stores, tiling_record(mapping),
        block_records(mapping, records.levels), part_records(mapping.gemm, mapping.tile_k), end + distance, counts,
    )  # fmt: skip
    if distance >= 0:
        assert done
    if done:
        assert counts[Counts.END] == end
