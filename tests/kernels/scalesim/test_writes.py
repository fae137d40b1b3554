"""Counting words equals writing lines; the array never waits, whatever the sizes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.scalesim import compute_report, scalesim_array
from hwsim.kernels.scalesim import replay_writes
from hwsim.simulation.scalesim.demand import results_of
from tests.kernels.scalesim.layers import configs, layers, takes_one_cycle
from tests.kernels.scalesim.twin import WriteBuffer, demands


@given(config=configs(), layer=layers(), half=st.integers(1, 60), data=st.data())
@settings(deadline=None, max_examples=120)
def test_equals_lines_of_words(config, layer, half, data):
    if takes_one_cycle(config, layer):
        return
    line_words = data.draw(st.integers(config.columns, 12))
    array = scalesim_array(config)
    twin = WriteBuffer(2 * half, line_words).run(demands(config.dataflow, config.rows, config.columns, layer)["ofmap"])
    found = replay_writes(
        results_of(array, layer),
        fold_cycles=compute_report(array, layer.sizes).fold_cycles,
        capacity=2 * half,
        line_words=line_words,
    )
    assert twin.stalls == 0
    assert found.writes == twin.words
    assert (found.first_cycle, found.last_cycle) == (twin.first, twin.last)
    assert (found.first_drain_cycle, found.last_drain_cycle) == (min(twin.drains), max(twin.drains))
