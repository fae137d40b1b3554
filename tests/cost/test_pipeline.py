"""Tiles in time: waiting has causes that add up, and the events of a small case are those one writes down by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.array_layer import array_cycles, pipeline_of
from hwsim.cost.links import DRAM, Link
from hwsim.cost.pipeline import Pipeline, Transfer, run
from hwsim.cost.steps import steps_of
from tests.cost.mapped import machines, mapped


@st.composite
def cases(draw):
    machine = draw(machines())
    return machine, draw(mapped(machine))


def events_of(machine, mapping, prefetched=0):
    found = []
    timing = run(
        pipeline_of(mapping, steps_of(mapping, machine), machine, machine.datapath, prefetched),
        lambda *event: found.append(event),
    )
    return timing, found


@given(cases())
def test_cycles_add_up_and_waiting_is_never_negative(case):
    machine, mapping = case
    cycles, idle_tail = array_cycles(mapping, machine, machine.datapath)
    timing, events = events_of(machine, mapping)
    assert cycles.total == timing.end
    assert min(timing.stall.values()) >= 0
    assert 0 <= idle_tail <= timing.end
    assert max(end for *_, end in events) <= timing.end


@given(cases())
def test_a_channel_does_one_thing_at_a_time(case):
    machine, mapping = case
    _, events = events_of(machine, mapping)
    last = {}
    for resource, _, _, begin, end in sorted(events, key=lambda event: (event[3], event[4])):
        assert begin >= last.get(resource, 0)
        last[resource] = end


@given(cases())
def test_the_array_is_accounted_for_without_a_gap(case):
    machine, mapping = case
    cycles, _ = array_cycles(mapping, machine, machine.datapath)
    timing, events = events_of(machine, mapping)
    reached, spent = 0, dict.fromkeys(("own", *timing.stall), 0)
    for resource, what, _, begin, end in events:
        if resource == "array":
            assert begin == reached
            reached = end
            spent[what.removeprefix("stall ") if what.startswith("stall") else "own"] += end - begin
    assert reached == timing.end
    assert spent == {"own": cycles.compute + cycles.fill + cycles.drain, **timing.stall}


@given(st.data())
def test_no_step_computes_before_its_operands_have_arrived(data):
    machine = data.draw(machines(levels=1))  # of a block behind it a step may need nothing yet
    mapping = data.draw(mapped(machine))
    _, events = events_of(machine, mapping)
    starts = {step: begin for _, what, step, begin, _ in events if what == "compute"}
    for resource, what, step, _, end in events:
        if what.startswith("load"):
            latency = machine.dram.latency_cycles if resource == DRAM else 0
            assert end + latency <= starts[step]
        if what.startswith("store"):
            assert end >= starts[step]


@given(cases(), st.sampled_from(["bits_per_cycle", "latency_cycles"]))
def test_a_better_memory_is_never_slower(case, key):
    machine, mapping = case
    change = {"bits_per_cycle": 5, "latency_cycles": -min(3, machine.dram.latency_cycles)}[key]
    dram = machine.dram.model_copy(update={key: getattr(machine.dram, key) + change})
    faster = machine.model_copy(update={"dram": dram})
    before, after = (array_cycles(mapping, one, machine.datapath)[0].total for one in (machine, faster))
    assert after <= before


@given(cases(), st.integers(1, 200))
def test_weights_that_came_ahead_save_at_most_what_they_took(case, prefetched):
    machine, mapping = case
    without, ahead = (array_cycles(mapping, machine, machine.datapath, n)[0].total for n in (0, prefetched))
    assert without - prefetched <= ahead <= without


def link(operand, **keys):
    base = {
        "source": DRAM,
        "target": operand,
        "level": 1,
        "channel": DRAM,
        "far_channel": DRAM,
        "source_bits": 8,
        "target_bits": 8,
    }
    if operand == "ofmap":
        base |= {"source": operand, "target": DRAM}
    return Link(operand=operand, **(base | keys))


def hand_made(double):
    """Two tiles: weights take 4 and 0 cycles, ifmaps 3 and 3, the array 5 each, results 2 each; latency 1."""
    loads = {"weight": [4, 0], "ifmap": [3, 3]}
    return Pipeline(
        loads=tuple(
            Transfer(link=link(name, latency_cycles=1, double_buffered=double), cycles=np.array(cycles))
            for name, cycles in loads.items()
        ),
        stores=(Transfer(link=link("ofmap"), cycles=np.array([2, 2])),),
        preload=np.array([2, 0]),
        stationary="weight",
        idle=np.array([0, 1]),
        array=np.array([5, 5]),
        port=np.array([0, 6]),
        requantizer=np.array([0, 0]),
        finishes=np.array([True, True]),
        output_buffered=True,
        tail=1,
    )


def test_by_hand_with_double_buffers():
    timing = run(hand_made(double=True))
    # weights sent at 4, there at 5, in the array at 7; ifmap sent at 7, there at 8: start 8, waiting 2..7 weight, 8 ifmap
    # second ifmap sent at 10, there at 11; first results out at 14, stored at 16; second step starts at 13 + 1 idle, ends at 20
    assert timing.stall == {"ifmap": 1, "weight": 5, "ofmap": 2, "port": 1, "requantizer": 0}
    assert timing.end == 20 + 1 + 2


def test_by_hand_with_single_buffers():
    timing = run(hand_made(double=False))
    # the second ifmap waits for the first step to end at 13: sent at 16, there at 17, so 3 cycles after 14
    assert timing.stall == {"ifmap": 4, "weight": 5, "ofmap": 2, "port": 1, "requantizer": 0}
    assert timing.end == 23 + 1 + 2
