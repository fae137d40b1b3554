"""The machine record: where operands live, which datapath a layer gets, and that it is one frozen value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hwsim.hardware import dump_toml, load_accelerator
from hwsim.hardware.accelerator import Accelerator, MemoryLevel, SystolicArray
from hwsim.hardware.dataflow import DATAFLOWS


def test_every_operand_has_one_home():
    machine = load_accelerator("gemmini_16x16")
    homes = {operand: machine.memory_of(operand).name for operand in ("ifmap", "weight", "ofmap", "psum")}
    assert homes == {"ifmap": "scratchpad", "weight": "scratchpad", "ofmap": "accumulator", "psum": "accumulator"}


def test_the_dataflow_is_a_record():
    assert [SystolicArray(dataflow=name, rows=1, columns=1).flow for name in DATAFLOWS] == list(DATAFLOWS.values())


def test_peak_is_one_product_per_element_and_cycle():
    assert load_accelerator("tpu_v1_like_256x256").peak_macs_per_second == 256 * 256 * 700e6


def test_a_machine_is_frozen_and_equal_by_value():
    machine = load_accelerator("edge_16x16")
    with pytest.raises(ValidationError, match="frozen"):
        machine.clock_mhz = 1.0
    other = load_accelerator("edge_16x16", overrides=["datapath.psum=int25:wrap"])
    assert machine != other
    assert {machine: 1, other: 2}[load_accelerator("edge_16x16")] == 1


def test_later_rules_win_key_by_key():
    machine = load_accelerator(
        "edge_16x16",
        overrides=["layer.'c*'.psum=int10:wrap", "layer.'c*'.accumulator=int20:wrap", "layer.conv.psum=int12:wrap"],
    )
    conv = machine.datapath_for("conv")
    assert (str(conv.psum), str(conv.accumulator)) == ("int12:wrap", "int20:wrap")
    assert machine.datapath_for("fc") is machine.datapath


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(
    name=names,
    pattern=names,
    clock=st.floats(min_value=1e-3, max_value=1e6),
    rows=st.integers(1, 1 << 40),
    flag=st.booleans(),
    psum=st.sampled_from(["exact", "int2:wrap", "int64:saturate", "int33:exact"]),
    requantizer=st.sampled_from(["float32", "fixed_point:2:floor", "power_of_two:to_zero"]),
    weight_bits=st.one_of(st.none(), st.integers(1, 32)),
)
def test_any_machine_survives_writing_and_reading(
    tmp_path_factory, name, pattern, clock, rows, flag, psum, requantizer, weight_bits
):
    level = MemoryLevel(
        name=f"m{name}", holds=("psum", "ifmap", "ofmap", "weight"), size_bytes=rows, read_bits_per_cycle=1,
        write_bits_per_cycle=2, double_buffered=flag,
    )  # fmt: skip
    machine = Accelerator(
        name=name,
        clock_mhz=clock,
        array={"dataflow": "input_stationary", "rows": rows, "columns": 1, "overlap_drain": flag},
        datapath={"psum": psum, "requantizer": requantizer, "multiplier_weight_bits": weight_bits},
        memory=(level,),
        layer=({"match": pattern, "psum": psum}, {"match": "*", "requantizer": requantizer}),
    )
    path = tmp_path_factory.getbasetemp() / "machine.toml"
    path.write_text(dump_toml(machine), encoding="utf-8", newline="")
    assert load_accelerator(path) == machine
