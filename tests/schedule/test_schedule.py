"""Every array layer of a network gets a mapping; errors name the layer."""

import pytest

import hwsim
from hwsim.errors import MappingError
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.schedule import schedule


@pytest.fixture(scope="module")
def graph():
    return hwsim.quantize(hwsim.load("digits_mobilenet"))


def test_array_layers_have_mappings(graph):
    mappings = schedule(graph, hwsim.accelerator("edge_16x16")).mappings
    works = {task.layer: task.work for task in lower(graph) if isinstance(task.work, Gemm)}
    assert {layer: mapping.gemm for layer, mapping in mappings.items()} == works


def test_a_memory_too_small_names_layer_memory_bytes_and_way_out(graph):
    accelerator = hwsim.accelerator("edge_16x16")
    memory = tuple(
        level.model_copy(update={"size_bytes": 16}) if level.name == "weights" else level
        for level in accelerator.memory
    )
    with pytest.raises(MappingError) as caught:
        schedule(graph, accelerator.model_copy(update={"memory": memory}))
    first = next(task.layer for task in lower(graph) if isinstance(task.work, Gemm))
    message = str(caught.value)
    assert message.startswith(f"layer {first!r}: no tile fits edge_16x16: even for a tile of ")
    assert "memory 'weights' has 16 bytes and needs " in message
    assert message.split()[-1].startswith("memory.weights.size_bytes=")
    assert "\n" not in message


def test_wide_operands_name_the_layer(graph):
    accelerator = hwsim.accelerator("edge_16x16")
    datapath = accelerator.datapath.model_copy(update={"multiplier_weight_bits": 4})
    with pytest.raises(MappingError, match=r"layer '.*': operands of 8 x 8 bits do not fit"):
        schedule(graph, accelerator.model_copy(update={"datapath": datapath}))
