"""The trace is a valid file of the Trace Event Format, its slices nest, and its sums are the ledger's."""

import gzip
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.cost import cost
from hwsim.cost.timeline import timeline
from hwsim.errors import HwsimError
from hwsim.mapping.stated import MappingRule, StatedPlan
from hwsim.reporting.trace import trace_events, write_trace
from hwsim.reporting.trace.counters import dram_bits, macs, means, windows
from hwsim.schedule import Options, schedule


@pytest.fixture(scope="module", params=["edge_16x16", "slow"])
def case(request):
    slow = ("dram.bits_per_cycle=16", "vector.requantizer_lanes=1", "clock_mhz=700")
    machine = hwsim.accelerator("edge_16x16", overrides=slow if request.param == "slow" else ())
    graph = hwsim.quantize(hwsim.load("digits_mobilenet"))
    rule = MappingRule(match="*.fc", tile={"m": "all", "k": "all", "n": 7})  # 7 and 3 of 10 classes: unequal steps
    plan = schedule(graph, machine, Options(stated=StatedPlan(layer=(rule,))))
    return machine, list(timeline(graph, machine, plan)), cost(graph, machine, plan)


def traced(case, limit):
    return trace_events(case[1], clock_mhz=case[0].clock_mhz, title="test", limit=limit)


def tracks_of(events):
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    tracks = {name: [] for name in names.values()}
    for event in events:
        if event["ph"] == "X":
            tracks[names[event["tid"]]].append(event)
    return tracks


@pytest.mark.parametrize("limit", [1, 3, 10**6])
def test_events_are_those_of_the_format(case, limit):
    events = traced(case, limit)
    times = [event["ts"] for event in events]
    assert times == sorted(times)
    assert {event["ph"] for event in events} == {"X", "C", "M"}
    for event in events:
        assert isinstance(event["name"], str)
        assert {type(event[key]) for key in ("pid", "tid")} == {int}
        assert type(event["ts"]) in (int, float)
        assert event["ts"] >= 0
        assert ("dur" in event) == (event["ph"] == "X")
        if event["ph"] == "C":
            assert all(isinstance(value, float) for value in event["args"].values())
    named = {event["tid"] for event in events if event["name"] == "thread_name"}
    assert {event["tid"] for event in events if event["ph"] == "X"} == named
    assert json.loads(json.dumps(events)) == events


@pytest.mark.parametrize("limit", [1, 3, 10**6])
def test_slices_of_a_track_nest_in_the_nanoseconds_of_the_file(case, limit):
    for events in tracks_of(traced(case, limit)).values():
        open_until = []
        for event in events:  # in the order of the file, as a viewer reads them
            begin = round(event["ts"] * 1000)
            end = begin + round(event["dur"] * 1000)
            while open_until and open_until[-1] <= begin and open_until[-1] < end:
                open_until.pop()
            assert not open_until or end <= open_until[-1], event
            open_until.append(end)


def test_sums_are_those_of_the_ledger(case):
    machine, layers, report = case
    tracks = tracks_of(traced(case, 10**6))
    total = report.layers.sum("cycles")
    assert sum(event["args"]["cycles"] for event in tracks["layers"]) == total
    last = tracks["layers"][-1]
    assert last["args"]["begin_cycle"] + last["args"]["cycles"] == total
    assert last["ts"] + last["dur"] == pytest.approx(total / machine.clock_mhz, abs=2e-3)
    spent = Counter()
    steps = 0
    for event in tracks["array"]:
        spent[event["name"]] += event["args"]["cycles"]
        steps += event["name"].startswith("step ")
    assert steps == sum(len(layer.steps.m) for layer in layers if layer.steps)
    on_array = [row["layer"] for row in report.layers.rows() if row["m"] is not None]
    for cause in ("ifmap", "weight", "ofmap", "port", "requantizer"):
        wanted = sum(row[f"stall_{cause}_cycles"] for row in report.layers.rows() if row["layer"] in on_array)
        assert spent[f"stall {cause}"] == wanted
    own = sum(spent[what] for what in ("compute", "fill", "switch", "drain"))
    assert own == sum(report.layers.sum(f"{part}_cycles") for part in ("compute", "fill", "drain"))
    vector = [event for event in tracks["vector"] if event["name"] not in on_array]
    assert sum(event["args"]["cycles"] for event in vector) == total - sum(spent[name] for name in on_array)


def test_requantizers_show_where_a_step_waits_for_them(case):
    tracks = tracks_of(traced(case, 10**6))
    stalled = [event["args"] for event in tracks["array"] if event["name"] == "stall requantizer"]
    shown = [event["args"] for event in tracks.get("requantizer", ()) if event["name"] == "requantize"]
    assert len(shown) == len(stalled)
    computing = {e["args"]["begin_cycle"]: e["args"]["cycles"] for e in tracks["array"] if e["name"] == "compute"}
    for busy, waited in zip(shown, stalled, strict=True):
        assert busy["cycles"] == computing[busy["begin_cycle"]] + waited["cycles"]
    if case[0].vector.requantizer_lanes == 1:
        assert shown


def test_bytes_of_transfers_are_all_bytes_over_dram(case):
    bits = dram_bits(case[1])
    for limit in (1, 10**6):
        moved = [event["args"]["bytes"] for event in tracks_of(traced(case, limit))["dram"] if "bytes" in event["args"]]
        assert sum(moved) * 8 == sum(amount for amounts in bits.values() for *_, amount in amounts)


def test_merged_steps_say_so_and_lose_nothing(case):
    whole, merged = (tracks_of(traced(case, limit))["array"] for limit in (10**6, 2))
    notes = [event for event in merged if "note" in event["args"]]
    assert notes
    assert all(event["name"].startswith("steps ") and "--limit" in event["args"]["note"] for event in notes)
    own = Counter()
    for event in merged:
        own.update({key: value for key, value in event["args"].items() if key.startswith(("compute", "stall "))})
        own[event["name"]] += event["args"]["cycles"]
    whole_sums = Counter()
    for event in whole:
        whole_sums[event["name"]] += event["args"]["cycles"]
        whole_sums.update({k: v for k, v in event["args"].items() if k.startswith(("compute", "stall "))})
    keys = ("compute", "compute_cycles", "stall ifmap", "stall weight", "stall ofmap", "stall port")
    assert {key: own[key] for key in keys} == {key: whole_sums[key] for key in keys}


def test_layers_that_are_not_asked_for_are_one_slice(case):
    name = case[1][0].layer
    events = trace_events(case[1], clock_mhz=500, title="t", detailed=lambda layer: layer == name)
    tracks = tracks_of(events)
    assert {event["name"] for event in tracks["dram"] if "op" in event["args"]} == {name}
    assert len(tracks["layers"]) == len(case[1])


def test_counters_hold_all_bits_and_multiply_accumulates(case):
    machine, layers, report = case
    edges = windows(layers[-1].end)
    length = edges[1]
    for amounts in dram_bits(layers).values():
        assert means(amounts, edges).sum() * length == pytest.approx(sum(amount for *_, amount in amounts))
    lanes = machine.array.rows * machine.array.columns
    used = means(macs(layers), edges)
    assert used.sum() * length * lanes == pytest.approx(report.layers.sum("macs"))
    last = [one for one in layers if one.mapping is not None][-1]
    shares = [share for begin, _, share in macs(layers) if begin >= last.begin]
    assert [round(share * lanes / last.mapping.gemm.k) for share in shares] == [7, 3]
    assert used.max() <= 1 + 1e-9


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(0, 9)), max_size=8), st.integers(1, 7))
def test_means_are_those_of_plain_loops(spans, length):
    edges = np.arange(0, 61 + length, length)
    amounts = [(begin, begin + size, float(amount)) for begin, size, amount in spans]
    per_cycle = np.zeros(edges[-1])
    for begin, end, amount in amounts:
        per_cycle[begin:end] += amount / (end - begin)
    assert means(amounts, edges) == pytest.approx(per_cycle.reshape(-1, length).mean(axis=1), abs=1e-9)


@pytest.mark.parametrize("name", ["trace.json", "deep/trace.json.gz"])
def test_files(case, tmp_path, name):
    path = write_trace(case[1], tmp_path / name, clock_mhz=500, title="net on machine", about={"network": "net"})
    raw = path.read_bytes()
    document = json.loads(gzip.decompress(raw) if name.endswith(".gz") else raw)
    assert document["otherData"] == {"network": "net"}
    assert document["traceEvents"] == trace_events(case[1], clock_mhz=500, title="net on machine")
    assert document["traceEvents"][0]["args"] == {"name": "net on machine"}
    assert (
        path.read_bytes()
        == write_trace(case[1], path, clock_mhz=500, title="net on machine", about={"network": "net"}).read_bytes()
    )


def test_a_file_in_the_way(case, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HwsimError, match="must be a folder"):
        write_trace(case[1], tmp_path / "file" / "trace.json", clock_mhz=500, title="t")
