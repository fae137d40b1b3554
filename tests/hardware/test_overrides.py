"""``--set key=value``: any key, by the names that a person sees, with the errors of a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import ConfigError
from hwsim.hardware import load_accelerator, load_precision
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.keys import children, find, keys


def edge(*overrides: str) -> Accelerator:
    return load_accelerator("edge_16x16", overrides=overrides)


def problems(*overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        edge(*overrides)
    return str(caught.value).splitlines()


def test_numbers_texts_lists_and_flags():
    machine = edge(
        "array.rows=32",
        "array.dataflow=output_stationary",
        "array.overlap_load = false",
        "clock_mhz=800",
        "datapath.accumulator=int16:saturate",
        "datapath.multiplier_weight_bits=8",
        "name=my machine",
        'description="a=b"',
    )
    assert (machine.array.rows, machine.array.dataflow, machine.array.overlap_load) == (32, "output_stationary", False)
    assert (machine.clock_mhz, str(machine.datapath.accumulator)) == (800.0, "int16:saturate")
    assert (machine.datapath.multiplier_weight_bits, machine.name, machine.description) == (8, "my machine", "a=b")


def test_nothing_else_changes():
    assert edge("array.rows=16") == edge()
    changed = edge("memory.weights.size_bytes=131072")
    assert changed.memory_of("weight").size_bytes == 131072
    assert edge("memory.weights.size_bytes=65536") == edge()


def test_memories_are_addressed_by_their_current_name():
    machine = edge("memory.ofmap.name=out", "memory.out.size_bytes=8")
    assert machine.memory_of("ofmap").size_bytes == 8


def test_later_overrides_win():
    assert edge("array.rows=32", "array.rows=64").array.rows == 64


def test_a_key_inside_a_requantizer_that_is_written_as_text():
    machine = edge("datapath.requantizer=fixed_point:16:half_even", "datapath.requantizer.multiplier_bits=8")
    assert str(machine.datapath.requantizer) == "fixed_point:8:half_even"


def test_a_multiplier_can_be_matched_again():
    machine = load_accelerator("gemmini_16x16", overrides=["datapath.multiplier_weight_bits=matched"])
    assert machine.datapath.multiplier_weight_bits is None


def test_layer_rules_by_pattern():
    machine = edge('layer."block1.*".psum=int12:wrap', 'layer."block1.*".requantizer=float32', "layer.fc.psum=exact")
    assert [rule.match for rule in machine.layer] == ["block1.*", "fc"]
    assert str(machine.datapath_for("block1.conv").psum) == "int12:wrap"
    assert machine.datapath_for("block1.conv").requantizer.scheme == "float32"
    assert machine.datapath_for("conv0") == machine.datapath


def test_precision_plans_have_overrides_too(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('default.weights = "int8"\n', encoding="utf-8")
    plan = load_precision(path, overrides=["default.weights=int4", "layer.fc.weights=int8"])
    assert (str(plan.for_layer("conv").weights), str(plan.for_layer("fc").weights)) == ("int4", "int8")


def test_every_unusable_override_is_reported_at_once():
    assert problems("aray.rows=3", "array.row=3", "rows=3", "memory.weight.size_bytes=4", "memory.ifmap.size=4") == [
        "edge_16x16: override 'aray.rows=3': aray is not a known key; did you mean 'array'?",
        "edge_16x16: override 'array.row=3': array.row is not a known key; did you mean 'rows'?",
        "edge_16x16: override 'rows=3': rows is not a known key; did you mean 'array.rows'?",
        "edge_16x16: override 'memory.weight.size_bytes=4': no memory is called 'weight'; did you mean 'weights'?",
        "edge_16x16: override 'memory.ifmap.size=4': memory[0].size is not a known key; did you mean 'size_bytes'?",
    ]


def test_malformed_overrides():
    assert problems("array.rows", "=3", "array.rows=", "array..rows=3", "array.rows.x=3", "memory.ifmap=3", "layer.a=1") == [
        "edge_16x16: override 'array.rows': write key=value, as in array.rows=32",
        "edge_16x16: override '=3': write key=value, as in array.rows=32",
        "edge_16x16: override 'array.rows=': write key=value, as in array.rows=32",
        "edge_16x16: override 'array..rows=3': the key must be dotted names, as in array.rows=32; quote a name with other signs",
        "edge_16x16: override 'array.rows.x=3': array.rows has no keys inside",
        "edge_16x16: override 'memory.ifmap=3': name one key of it, such as memory.ifmap.holds=...",
        "edge_16x16: override 'layer.a=1': name one key of it, such as layer.a.psum=...",
    ]  # fmt: skip


def test_a_bad_value_names_its_override():
    assert problems("array.rows=0", "clock_mhz=inf", "vector=5", "datapath.requantizer.scheme=float23", "dram=3") == [
        "edge_16x16: clock_mhz must be a positive number, not inf (override 'clock_mhz=inf')",
        "edge_16x16: array.rows must be a positive integer, not 0 (override 'array.rows=0')",
        "edge_16x16: datapath.requantizer.scheme 'float23' is unknown; did you mean 'float32'? "
        "(override 'datapath.requantizer.scheme=float23')",
        "edge_16x16: vector must be a table, not 5 (override 'vector=5')",
        "edge_16x16: dram must be a table, not 3 (override 'dram=3')",
    ]


def test_a_whole_table_at_once():
    assert edge("dram={kind='hbm2', bits_per_cycle=1024}").dram.bits_per_cycle == 1024


INTEGER_KEYS = [
    f"{table}.{key}"
    for table in children(keys(Accelerator))
    for key in children(find(Accelerator, (table,)) or {})
    if (find(Accelerator, (table, key)) or {}).get("type") == "integer"
]


@given(st.sampled_from(INTEGER_KEYS), st.integers(1, 10**9))
def test_any_integer_key_can_be_set(key, value):
    table, name = key.split(".")
    assert getattr(getattr(edge(f"{key}={value}"), table), name) == value
