"""What grids ask of the datapath."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.mapping.demands import demands_of
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.run_time import found_at_run_time
from tests.execute.integer.positioned import matmul
from tests.quantization.reconstruct.small import state_of


def with_weight(graph, layer, granularity, count):
    weight = graph.tensors[graph.node_of[layer].inputs[1]]
    grid = replace(weight.quant, scale=(0.5,) * count, zero_point=(0,) * count, granularity=granularity)
    return graph.with_changes(tensors=[replace(weight, quant=grid)])


@pytest.mark.parametrize(
    ("layer", "granularity", "count", "found"),
    [
        ("pointwise.conv", PER_TENSOR, 1, 0),
        ("pointwise.conv", Granularity(axis=0), 32, 1),
        ("pointwise.conv", Granularity.of_runs(1, 32, 8), 4, 0),  # one scale per group of k, for all columns
        ("pointwise.conv", Granularity.of_runs(1, 32, 8, by=0), 128, 1),
        ("logits", Granularity.of_runs(0, 32, 8), 4, 0),
        ("logits", Granularity.of_runs(0, 32, 8, by=1), 40, 1),
        ("logits", Granularity(axis=0, block=8), 40, 1),
        ("logits", Granularity(axis=1), 10, 1),
    ],
)
def test_multipliers_per_output_channel(layer, granularity, count, found):
    graph = with_weight(state_of().graph, layer, granularity, count)
    assert demands_of(graph).channel_scales == found


@pytest.mark.parametrize(
    ("granularities", "found"),
    [
        ({}, ()),
        ({"a": Granularity(axis=2)}, ("a multiplier per token",)),
        ({"b": Granularity(axis=1)}, ("a multiplier per head",)),
        ({"a": Granularity(axis=2), "y": Granularity(axis=1)}, ("a multiplier per token", "a multiplier per head")),
        ({"b": Granularity(axis=3)}, ("a multiplier per output channel",)),
    ],
)
def test_multipliers_per_position(granularities, found):
    shapes = {"a": (1, 3, 4, 6), "b": (1, 3, 6, 5), "y": (1, 3, 4, 5)}
    grids = {
        name: QuantParams(format=IntFormat(bits=8), granularity=granularities.get(name, PER_TENSOR)) for name in "aby"
    }
    graph = matmul(*((shapes[name], grids[name]) for name in "aby"))
    assert tuple(text for text in demands_of(graph).sentences() if "multiplier" in text) == found


def test_shifts_alone_need_scales_that_are_known_before():
    graph = state_of(power_of_two=True).graph
    assert demands_of(graph).only_shifts
    at_run_time = demands_of(found_at_run_time(graph))
    assert at_run_time.run_time_scales > 0
    assert not at_run_time.only_shifts
    assert "requantizes by shifts alone" not in at_run_time.sentences()


def test_unknown_scales_are_arbitrary():
    graph = hwsim.quantize(hwsim.load("digits_mobilenet"), calibration=None)
    assert not demands_of(graph).only_shifts
    assert len(np.unique(demands_of(graph).products)) == 1


@pytest.mark.parametrize(
    ("count", "passes", "layers"), [(1, "1 maximum pass", "1 layer"), (2, "2 maximum passes", "2 layers")]
)
def test_one_is_singular(count, passes, layers):
    found = replace(demands_of(state_of().graph), run_time_scales=count, column_sums=count).sentences()
    assert f"finds scales at run time ({passes})" in found
    assert f"sums ifmap columns for weight zero points ({layers})" in found
