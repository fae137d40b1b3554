"""Layers in time: one after the other, every channel doing one thing at a time, as many bits and cycles as the ledger says."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.cost import cost
from hwsim.cost.array_layer import array_cycles
from hwsim.cost.ledger import LayerCost
from hwsim.cost.links import DRAM
from hwsim.cost.timeline import PREFETCH, array_timeline, timeline
from hwsim.cost.turns import Turn
from hwsim.kernels.timing import Counts
from hwsim.mapping.tasks import Task
from hwsim.schedule import Options, schedule
from hwsim.schedule.choose import counts_of
from hwsim.schedule.records import records_of
from tests.cost.mapped import machines, mapped

MACHINES = {
    "as it is": (),
    "slow DRAM that also writes": ("dram.bits_per_cycle=24", "dram.latency_cycles=3", "dram.burst_bits=64"),
    "single buffers, writes apart": (
        "dram.separate_writes=true", "memory.weights.double_buffered=false", "vector.requantizer_lanes=1",
    ),
    "output stationary": ("array.dataflow=output_stationary", "array.overlap_drain=true"),
}  # fmt: skip


@st.composite
def two_layers(draw):
    """A drawn machine, and two drawn layers on it, the second with weights that come ahead."""
    machine = draw(machines())
    found, before = [], None
    for name in ("first", "second"):
        mapping = draw(mapped(machine))
        ahead = 0 if before is None or mapping.gemm.weight_is_activation else before.cost.idle_tail
        cycles, idle_tail = array_cycles(mapping, machine, machine.datapath, ahead)
        turn = Turn(
            task=Task(layer=name, op="Gemm", work=mapping.gemm), machine=machine, datapath=machine.datapath,
            prefetched=ahead, cost=LayerCost(cycles=cycles, idle_tail=idle_tail),
        )  # fmt: skip
        before = array_timeline(turn, mapping, before.end if before else 0, before)
        found.append(before)
    return machine, found


@settings(deadline=None)
@given(two_layers())
def test_drawn_layers_share_their_resources(case):
    machine, layers = case
    assert [layer.end - layer.begin for layer in layers] == [layer.cost.cycles.total for layer in layers]
    one_at_a_time(layers)
    ahead = [span for span in layers[1].spans if span.what == PREFETCH]
    loads = [span.end for span in layers[0].spans if span.resource == DRAM and span.what.startswith("load")]
    assert all(max(loads, default=0) <= span.begin and span.end <= layers[1].begin for span in ahead)
    for layer in layers:
        reached = layer.begin
        for span in layer.spans:
            if span.resource == "array":
                assert span.begin == reached
                reached = span.end
        assert reached == layer.end
        counts = counts_of(records_of(layer.mapping, machine, machine.datapath), layer.mapping)
        over_dram = [span for span in layer.spans if span.resource.split(".")[0] == DRAM]
        assert sum(span.read_bits + span.write_bits for span in over_dram) == counts[Counts.DRAM_BITS]


def one_at_a_time(layers):
    reached = {}
    for span in sorted((span for layer in layers for span in layer.spans), key=lambda span: (span.begin, span.end)):
        assert span.end > span.begin >= reached.get(span.resource, 0), span
        reached[span.resource] = span.end


@pytest.fixture(scope="module")
def graph():
    return hwsim.quantize(hwsim.load("digits_mobilenet"))


@pytest.fixture(scope="module", params=MACHINES, ids=lambda name: name.replace(" ", "_"))
def case(request, graph):
    machine = hwsim.accelerator("edge_16x16", overrides=MACHINES[request.param])
    plan = schedule(graph, machine, Options(residency=request.param != "as it is"))
    return machine, plan, list(timeline(graph, machine, plan)), cost(graph, machine, plan)


def test_layers_follow_one_another_and_end_with_the_network(case):
    _, _, layers, report = case
    totals = {row["layer"]: row["cycles"] for row in report.layers.rows() if row["cycles"]}
    assert {layer.layer: layer.end - layer.begin for layer in layers} == totals
    assert [layer.begin for layer in layers] == [0, *(layer.end for layer in layers[:-1])]
    assert layers[-1].end == report.layers.sum("cycles")


def test_a_resource_does_one_thing_at_a_time(case):
    one_at_a_time(case[2])


def test_weights_come_ahead_only_while_dram_is_idle_and_only_where_asked(case, graph):
    machine, plan, layers, _ = case
    ahead = [span for layer in layers for span in layer.spans if span.what == PREFETCH]
    for layer, after in pairwise(layers):
        early = [span for span in after.spans if span.begin < after.begin]
        assert all(span.what == PREFETCH and span.begin >= layer.begin for span in early)
        assert sum(span.end - span.begin for span in early) <= layer.cost.idle_tail
    assert bool(ahead) == machine.memory_of("weight").double_buffered
    without = type(plan)(mappings=plan.mappings, resident=plan.resident)
    assert not [span for layer in timeline(graph, machine, without) for span in layer.spans if span.what == PREFETCH]
