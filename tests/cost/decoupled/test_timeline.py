"""How long a product takes on decoupled units: against the RTL of a whole accelerator, and what must hold for any machine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.decoupled import Work, timeline
from hwsim.errors import ConfigError
from hwsim.hardware import load_accelerator

PRESETS = {"WS": "gemmini_16x16", "OS": "gemmini_16x16_os"}

# flow, m, k, n, bias, wide result, latency: cycles, read requests, read beats, write requests, write beats
EXACT = {
    ("WS", 1, 16, 16, "none", False, 20): (179, 17, 17, 1, 1),
    ("WS", 2, 119, 16, "none", False, 60): (800, 134, 146, 2, 2),
    ("WS", 16, 16, 64, "none", False, 20): (413, 32, 80, 16, 64),
    ("WS", 64, 16, 16, "none", False, 20): (344, 80, 80, 64, 64),
    ("WS", 64, 64, 64, "none", False, 2): (2025, 128, 512, 64, 256),
    ("WS", 64, 64, 64, "none", False, 20): (2061, 128, 512, 64, 256),
    ("WS", 64, 64, 64, "none", False, 200): (3347, 128, 512, 64, 256),
    ("WS", 512, 64, 64, "none", False, 20): (9869, 576, 2304, 512, 2048),
    ("WS", 64, 64, 512, "none", False, 20): (9933, 576, 2304, 512, 2048),
    ("WS", 128, 128, 128, "none", False, 60): (9724, 640, 2048, 384, 1024),
    ("WS", 128, 64, 32, "full", False, 2): (3111, 448, 1664, 128, 256),
    ("WS", 64, 64, 64, "full", True, 20): (3661, 384, 1536, 256, 1024),
    ("WS", 48, 64, 32, "row", False, 20): (1108, 118, 344, 48, 96),
    ("WS", 96, 64, 16, "row", True, 20): (1458, 166, 472, 96, 384),
    ("OS", 1, 16, 16, "none", False, 20): (201, 17, 17, 1, 1),
    ("OS", 115, 60, 43, "none", False, 60): (4454, 315, 821, 417, 773),
    ("OS", 512, 64, 64, "none", False, 20): (14067, 640, 2560, 2048, 2048),
    ("OS", 64, 512, 64, "none", False, 20): (12692, 1024, 4096, 256, 256),
    ("OS", 128, 128, 128, "none", False, 2): (11815, 512, 2048, 1024, 1024),
    ("OS", 64, 64, 64, "none", False, 200): (5588, 128, 512, 256, 256),
    ("OS", 16, 16, 16, "row", True, 60): (463, 33, 36, 16, 64),
    ("OS", 64, 64, 64, "full", True, 20): (3559, 384, 1536, 256, 1024),
}
CLOSE = {
    ("WS", 20, 33, 17, "row", False, 20): (683, 94, 200, 25, 50),
    ("WS", 32, 48, 32, "full", True, 20): (1029, 160, 464, 64, 256),
    ("WS", 16, 32, 16, "row", False, 20): (312, 49, 68, 16, 16),
    ("OS", 100, 50, 30, "none", False, 20): (2019, 247, 611, 240, 444),
    ("OS", 64, 64, 64, "full", False, 20): (2998, 384, 1536, 256, 256),
}
MEASURED = EXACT | CLOSE


def gemmini(flow, *overrides, latency=20):
    return load_accelerator(PRESETS[flow], overrides=[f"dram.latency_cycles={latency}", *overrides])


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: "-".join(map(str, case)))
def test_the_whole_accelerator(case):
    flow, m, k, n, bias, wide, latency = case
    run = timeline(Work(m=m, k=k, n=n, bias=bias, wide_result=wide), gemmini(flow, latency=latency))
    cycles, *traffic = MEASURED[case]
    assert [run.read_requests, run.read_beats, run.write_requests, run.write_beats] == traffic
    assert run.cycles == (cycles if case in EXACT else pytest.approx(cycles, rel=0.01))


def test_load_load_and_store_each_show_the_latency_once():
    """16 x 16 x 16, measured: 170 + 3 latencies."""
    work = Work(m=16, k=16, n=16)
    assert [timeline(work, gemmini("WS", latency=latency)).cycles for latency in (20, 60, 200)] == [230, 350, 770]


@given(
    st.sampled_from(["WS", "OS"]),
    st.tuples(*[st.integers(1, 70)] * 3),
    st.sampled_from(["none", "full", "row"]),
    st.integers(1, 60),
)
@settings(deadline=None, max_examples=40)
def test_bounds(flow, shape, bias, latency):
    m, k, n = shape
    run = timeline(Work(m=m, k=k, n=n, bias=bias), gemmini(flow, latency=latency))
    assert run.cycles >= run.read_beats + 2 * latency
    assert run.cycles >= 4 * -(-m // 16) * -(-k // 16) * -(-n // 16)
    assert run.read_bytes == 16 * run.read_beats >= m * k + k * n
    assert run.write_bytes == m * n <= 16 * run.write_beats


@given(
    st.sampled_from(["WS", "OS"]),
    st.dictionaries(
        st.sampled_from(
            [
                "load_queue",
                "store_queue",
                "moves_in_flight",
                "requests_in_flight",
                "prefetch_rows",
                "result_rows",
                "scale_slots",
            ]
        ),
        st.integers(1, 40),
    ),
    st.integers(2, 40),
)
@settings(deadline=None, max_examples=30)
def test_any_queues_come_to_an_end(flow, queues, execute):
    overrides = [f"decoupled.{name}={value}" for name, value in {**queues, "execute_queue": execute}.items()]
    work = Work(m=40, k=50, n=36, bias="row")
    run, usual = timeline(work, gemmini(flow, *overrides)), timeline(work, gemmini(flow))
    assert (run.read_beats, run.write_beats) == (usual.read_beats, usual.write_beats)


def test_more_requests_in_flight_hide_latency():
    work = Work(m=64, k=64, n=64)
    cycles = [
        timeline(work, gemmini("WS", f"decoupled.requests_in_flight={count}", latency=200)).cycles
        for count in (1, 4, 16, 64)
    ]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[0] > 4 * cycles[-1]


def test_a_memory_with_two_ports_never_keeps_the_array_waiting():
    work = Work(m=64, k=64, n=64)
    two = timeline(work, gemmini("WS", "memory.scratchpad.ports=1r1w")).cycles
    assert two < timeline(work, gemmini("WS")).cycles


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("edge_16x16", [], r"edge_16x16: decoupled must be there to count commands; add a \[decoupled\] table"),
        (
            "gemmini_16x16",
            ["array.dataflow=input_stationary"],
            "array.dataflow must be weight_stationary or output_stationary",
        ),
        ("gemmini_16x16", ["dram.bits_per_cycle=60"], "whole bytes up to decoupled.request_bytes, not 60 bits"),
        ("gemmini_16x16", ["dram.bits_per_cycle=1024"], "not 1024 bits"),
        ("gemmini_16x16", ["decoupled.execute_queue=1"], "must hold a preload and its compute, not 1 command"),
        ("gemmini_16x16", ["array.rows=8"], "the array must be square, not 8 x 16"),
    ],
)
def test_refusals(name, overrides, message):
    with pytest.raises(ConfigError, match=message):
        timeline(Work(m=16, k=16, n=16), load_accelerator(name, overrides=overrides))
