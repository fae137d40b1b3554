"""The event recurrence, its skipped periods included, equals a simulation that keeps every time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.pipeline import Pipeline
from tests.cost.twin import events

times = st.integers(0, 9)
FIELDS = ("load", "preload", "idle", "busy", "store")


@st.composite
def pipelines(draw):
    steps = draw(st.integers(1, 5))
    parts = {name: draw(st.lists(times, min_size=steps, max_size=steps)) for name in FIELDS}
    parts["load"][0] += 1  # the first step always loads
    return parts, {
        "latency": draw(times), "tail": draw(times), "double_buffered": draw(st.booleans()),
        "output_buffered": draw(st.booleans()), "repeats": draw(st.integers(1, 60)),
    }  # fmt: skip


def finish(parts, keys):
    return Pipeline(**{name: np.array(values) for name, values in parts.items()}, **keys).finish_time()


@given(pipelines())
def test_equals_every_step(drawn):
    parts, keys = drawn
    assert finish(parts, keys) == events(*(parts[name] for name in FIELDS), **keys)


@given(pipelines(), st.sampled_from(FIELDS), st.data())
def test_no_faster_when_a_step_gets_slower(drawn, name, data):
    parts, keys = drawn
    slower = {**parts, name: [value + data.draw(st.integers(0, 3)) for value in parts[name]]}
    if name == "idle":  # idle time in front of the first step of all is not counted
        slower["idle"][0] = parts["idle"][0]
    assert finish(slower, keys) >= finish(parts, keys)


def test_a_store_may_outlast_a_later_step_that_stores_nothing():
    parts = {"load": [1, 0], "preload": [0, 0], "idle": [0, 0], "busy": [0, 0], "store": [1, 0]}
    assert finish(parts, {"double_buffered": False}) == 2


def test_alternating_repeats_are_extrapolated_exactly():
    """Two buffers let the time of a repeat alternate: (5 + 10 + 2) / 2 is no integer."""
    parts = {"load": [5], "preload": [0], "idle": [0], "busy": [2], "store": [0]}
    keys = {"latency": 10, "tail": 0, "double_buffered": True, "output_buffered": True}
    for repeats in (100_001, 100_002):
        assert finish(parts, {**keys, "repeats": repeats}) == events(*parts.values(), **keys, repeats=repeats)
