"""All layers in one call are the layers one by one, each with the idle cycles that the one before left."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.timing import COUNTS, Counts
from hwsim.kernels.timing.network import FROM_ARRAY, evaluate_network
from hwsim.schedule.choose import counts_of
from hwsim.schedule.records import (
    block_records,
    layer_record,
    link_records,
    machine_record,
    memory_records,
    part_records,
    records_of,
    tiling_record,
)
from hwsim.schedule.surroundings import stacked
from tests.cost.mapped import machines, mapped


@st.composite
def networks(draw):
    """A machine, layers of which some are equal, and what the layer before each leaves."""
    machine = draw(machines())
    few = [draw(mapped(machine)) for _ in range(draw(st.integers(1, 3)))]
    layers = [draw(st.sampled_from(few)) for _ in range(draw(st.integers(1, 6)))]
    left = st.sampled_from([FROM_ARRAY, FROM_ARRAY, 0, 3, 10**6])
    before = [0, *(0 if one.gemm.weight_is_activation else draw(left) for one in layers[1:])]
    return machine, layers, before


@settings(max_examples=200, deadline=None)
@given(networks())
def test_equals_layer_by_layer(case):
    machine, layers, before = case
    loads, stores, links = stacked([link_records(machine, mapping) for mapping in layers])
    levels = max(memory.level for memory in machine.memory)
    parts = [part_records(mapping.gemm, mapping.tile_k) for mapping in layers]
    counts = np.full((len(layers), COUNTS), -1, np.int64)
    evaluate_network(
        np.array([layer_record(mapping, machine.datapath) for mapping in layers]),
        np.array([machine_record(machine, mapping.mac) for mapping in layers]),
        memory_records(machine), loads, stores, links,
        np.array([tiling_record(mapping) for mapping in layers]),
        np.array([block_records(mapping, levels) for mapping in layers]),
        np.concatenate(parts), np.cumsum([0, *map(len, parts)]),
        np.array(before, np.int64), np.array([layers.index(mapping) for mapping in layers], np.int64), counts,
    )  # fmt: skip
    idle = 0
    for mapping, given_idle, found in zip(layers, before, counts, strict=True):
        prefetched = idle if given_idle == FROM_ARRAY else given_idle
        alone = counts_of(records_of(mapping, machine, machine.datapath), mapping, prefetched)
        assert found.tolist() == alone.tolist()
        idle = int(alone[Counts.IDLE_TAIL])
