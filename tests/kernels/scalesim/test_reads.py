"""The stamped buffer equals the list of sets, for every dataflow, window and size of a set."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.scalesim import compute_report, scalesim_array
from hwsim.interchange.scalesim import ScaleSimConfig, ScaleSimLayer
from hwsim.kernels.scalesim import replay_reads
from hwsim.simulation.scalesim.demand import filter_demand, ifmap_demand
from tests.kernels.scalesim.layers import configs, layers, takes_one_cycle
from tests.kernels.scalesim.twin import ACTIVE, Estimator, demands

DEMANDS = {"ifmap": ifmap_demand, "filter": filter_demand}


def replayed(config, layer, operand, capacity):
    array = scalesim_array(config)
    compute = compute_report(array, layer.sizes)
    return replay_reads(
        DEMANDS[operand](array, layer),
        row_folds=compute.row_folds,
        column_folds=compute.column_folds,
        fold_cycles=compute.fold_cycles,
        capacity=capacity,
    )


@pytest.mark.parametrize("operand", DEMANDS)
@given(config=configs(), layer=layers(most=6), set_words=st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_equals_the_list_of_sets(operand, config, layer, set_words):
    if takes_one_cycle(config, layer):
        return
    twin = Estimator(set_words)
    try:
        twin.run(demands(config.dataflow, config.rows, config.columns, layer)[operand])
    except ZeroDivisionError:
        assert replayed(config, layer, operand, ACTIVE * set_words).fillings_in_one_cycle
        return
    found = replayed(config, layer, operand, ACTIVE * set_words)
    assert found.reads == twin.words
    assert found.fillings == len(twin.fillings)
    assert (found.first_cycle, found.last_cycle) == (twin.first_request, twin.last_request)
    assert found.last_filling_cycle == (twin.fillings[-1] if twin.fillings else -1)


def test_stamps_start_anew():
    """Each of two passes fills the buffer 255 times, as often as there are stamps, and finds nothing of the pass before."""
    config = ScaleSimConfig(
        run_name="", rows=2, columns=1, ifmap_sram_kb=1, filter_sram_kb=1, ofmap_sram_kb=1, dataflow="os", mode="CALC"
    )
    layer = ScaleSimLayer(
        name="", ifmap_height=255, ifmap_width=50, filter_height=1, filter_width=50, channels=1, filters=2, stride=1
    )
    found = replayed(config, layer, "ifmap", 50)
    assert (found.fillings, found.reads) == (510, 510 * 50)
