"""Requests cover a row once, and answers become on-chip rows as a buffer stepped cycle by cycle makes them."""

from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.decoupled.bursts import Burst, bursts, merge

BEAT, LARGEST = 16, 64


@given(st.integers(0, 300), st.integers(1, 300))
def test_requests_cover_the_row_once(address, row_bytes):
    found, covered = bursts(address, row_bytes, BEAT, LARGEST), []
    for burst in found:
        size, start = burst.beats * BEAT, address + burst.offset_bytes
        assert size in (16, 32, 64)
        assert burst.skipped_bytes == start % size
        assert burst.skipped_bytes + burst.useful_bytes <= size
        covered += range(start, start + burst.useful_bytes)
        smaller = [s for s in (16, 32) if s < size]
        assert all(min(s - start % s, address + row_bytes - start) < burst.useful_bytes for s in smaller)
    assert covered == list(range(address, address + row_bytes))


def test_aligned_rows_are_one_request():
    assert [burst.beats for burst in bursts(128, 64, BEAT, LARGEST)] == [4]
    assert [burst.beats for burst in bursts(17, 17, BEAT, LARGEST)] == [
        4
    ]  # 32 aligned bytes would take only 15 of them


@st.composite
def answers(draw):
    beats = draw(st.sampled_from([1, 2, 4]))
    skipped = draw(st.integers(0, beats * BEAT - 1))
    useful = draw(st.integers(1, beats * BEAT - skipped))
    return Burst(beats=beats, skipped_bytes=skipped, useful_bytes=useful, offset_bytes=draw(st.integers(0, 80)))


def stepped(burst, width):
    """The buffer byte by byte: what is there, which on-chip row each byte belongs to."""
    rows_of = [(burst.offset_bytes + i) // width for i in range(burst.useful_bytes)]
    order = sorted(set(rows_of))
    received, cycle, left, times = [], 0, list(order), []
    while left:
        cycle += 1
        if cycle <= burst.beats:
            beat = range((cycle - 1) * BEAT, cycle * BEAT)
            received += [b - burst.skipped_bytes for b in beat if 0 <= b - burst.skipped_bytes < burst.useful_bytes]
        gone = sum(rows_of[b] < left[0] for b in received)
        whole = len(received) == burst.useful_bytes
        if len(received) > gone and (whole or len(received) - gone >= width):
            left.pop(0)
            times.append(cycle)
    return max(cycle, burst.beats), tuple(times)


@given(answers(), st.sampled_from([16, 64]))
def test_merging(burst, width):
    merged = merge(burst, BEAT, width)
    assert (merged.next_cycle, merged.row_cycles) == stepped(burst, width)
