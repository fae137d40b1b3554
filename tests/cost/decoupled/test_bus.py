"""The bus answers in order, and busy banks are sets of cycles."""

from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.decoupled.bursts import Merge
from hwsim.cost.decoupled.bus import Bus, Busy


def test_a_read_is_answered_after_the_latency_and_beats_follow_one_another():
    bus, merged = Bus(20), Merge(next_cycle=4, row_cycles=(1, 2, 3, 4))
    assert [bus.read(cycle, 4, merged) for cycle in (0, 1, 30)] == [20, 24, 50]
    bus.written(31)
    assert bus.last_answer == 54  # behind the beats of the last read
    assert (bus.read_requests, bus.read_beats) == (3, 12)


def test_an_answer_waits_until_the_one_before_is_merged():
    bus = Bus(5)
    assert [bus.read(0, 1, Merge(next_cycle=3, row_cycles=(1, 2, 3))) for _ in range(3)] == [5, 8, 11]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), max_size=12), st.integers(0, 40))
def test_busy_is_a_set_of_cycles(spans, ask):
    busy, taken, end = Busy(), set(), 0
    for gap, length in spans:
        busy.take(end + gap, end + gap + length)
        taken |= set(range(end + gap, end + gap + length))
        end += gap + length
    free, following = busy.free_from(ask)
    assert free == next(cycle for cycle in range(ask, 200) if cycle not in taken)
    assert following == min((cycle for cycle in taken if cycle > free), default=None)


def test_a_cycle_that_is_taken_moves_behind_the_last():
    busy = Busy()
    for _ in range(3):
        busy.take(7, 8)
    assert busy.free_from(7) == (10, None)
