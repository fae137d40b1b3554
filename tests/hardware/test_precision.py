"""Precision plans: order of rules, what is stated, and what a machine takes over."""

import tomllib
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.hardware import LayerPrecision, PrecisionPlan, dump_toml, load_accelerator, load_precision, with_precision
from hwsim.hardware.keys import children, find
from hwsim.hardware.precision import DATAPATH_KEYS, GRID_KEYS, PrecisionRule
from hwsim.hardware.schema import json_schema

EXAMPLE = files("hwsim.hardware") / "examples" / "precision.toml"

PLAN = """
[default]
weights = "int8n"
activations = "uint8"
range = "percentile"
accumulator = "int24:saturate"

[[layer]]
match = "block1.*"
weights = "int4"
weight_granularity = "tensor"
psum = "int16:wrap"

[[layer]]
match = "block1.conv2"
weights = "int6"
requantizer = "fixed_point:16:half_even"

[[layer]]
match = "fc"
activations = "int12"
requantizer = { scheme = "power_of_two", rounding = "floor" }
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return load_precision(path)


def test_what_holds_where_nothing_is_stated():
    precision = PrecisionPlan().for_layer("conv1")
    assert precision == LayerPrecision()
    assert (str(precision.weights), str(precision.activations)) == ("int8", "uint8")
    assert (precision.weight_granularity, precision.weight_symmetry) == ("channel", "symmetric")
    assert (precision.activation_symmetry, precision.range) == ("asymmetric", "minmax")
    assert (precision.psum, precision.accumulator, precision.requantizer) == (None, None, None)


def test_activations_take_the_estimator_of_range_unless_they_have_their_own():
    rule = PrecisionRule(match="fc", range="percentile")
    plan = PrecisionPlan(default={"range": "mse"}, layer=(rule,))
    assert [plan.for_layer(name).activation_range for name in ("stem", "fc")] == ["mse", "percentile"]
    plan = PrecisionPlan(default={"range": "mse", "activation_range": "moving_average"}, layer=(rule,))
    assert [plan.for_layer(name).activation_range for name in ("stem", "fc")] == ["moving_average"] * 2
    assert [plan.for_layer(name).range for name in ("stem", "fc")] == ["mse", "percentile"]


def test_rules_apply_in_order_key_by_key(plan):
    first, second, other = (plan.for_layer(name) for name in ("block1.conv1", "block1.conv2", "stem"))
    assert [str(p.weights) for p in (first, second, other)] == ["int4", "int6", "int8n"]
    assert [p.weight_granularity for p in (first, second, other)] == ["tensor", "tensor", "channel"]
    assert [str(p.psum) for p in (first, second, other)] == ["int16:wrap", "int16:wrap", "None"]
    assert {str(p.accumulator) for p in (first, second, other)} == {"int24:saturate"}
    assert {p.range for p in (first, second, other)} == {"percentile"}
    assert str(second.requantizer) == "fixed_point:16:half_even"


@given(st.permutations(["int2", "int3", "int4", "int5"]))
def test_the_last_matching_rule_wins(formats):
    plan = PrecisionPlan(layer=tuple({"match": "c*", "weights": text} for text in formats))
    assert str(plan.for_layer("conv").weights) == formats[-1]


def test_patterns_that_match_nothing(plan):
    assert plan.unmatched(["stem", "block1.conv1", "fc"]) == ("block1.conv2",)
    assert plan.unmatched([]) == ("block1.*", "block1.conv2", "fc")
    assert plan.unmatched(name for name in ("block1.conv2", "fc")) == ()


def test_patterns_are_case_sensitive_and_whole():
    plan = PrecisionPlan(layer=({"match": "Conv", "weights": "int4"},))
    assert [str(plan.for_layer(name).weights) for name in ("Conv", "conv", "Conv1")] == ["int4", "int8", "int8"]


def test_a_machine_takes_over_registers_and_requantizers(plan):
    base = load_accelerator("edge_16x16")
    machine = load_accelerator("edge_16x16", precision=plan)
    assert machine == with_precision(base, plan)
    assert str(machine.datapath.accumulator) == "int24:saturate"
    assert machine.datapath.psum == base.datapath.psum
    for name in ("stem", "block1.conv1", "block1.conv2", "fc"):
        asked, built = plan.for_layer(name), machine.datapath_for(name)
        for key in ("psum", "accumulator", "requantizer"):
            assert getattr(built, key) == (getattr(asked, key) or getattr(base.datapath, key))
    assert [rule.match for rule in machine.layer] == ["block1.*", "block1.conv2", "fc"]


def test_a_plan_wins_over_the_rules_of_a_machine_but_its_default_does_not():
    base = load_accelerator("edge_16x16", overrides=["layer.fc.psum=int10:wrap"])
    default = PrecisionPlan(default={"psum": "int12:wrap"})
    assert str(with_precision(base, default).datapath_for("fc").psum) == "int10:wrap"
    assert str(with_precision(base, default).datapath_for("conv").psum) == "int12:wrap"
    rule = PrecisionPlan(layer=({"match": "*", "psum": "int14:wrap"},))
    assert str(with_precision(base, rule).datapath_for("fc").psum) == "int14:wrap"


def test_a_plan_of_operand_bits_leaves_the_machine_as_it_is():
    base = load_accelerator("edge_16x16")
    assert with_precision(base, PrecisionPlan(layer=({"match": "*", "weights": "int4"},))) is base


@pytest.mark.parametrize("key", GRID_KEYS)
def test_a_plan_says_whether_it_states_grids(key):
    value = {"weights": "int4", "activations": "int4", "weight_granularity": "tensor", "range": "mse"}
    value["activation_range"] = "percentile"
    stated = {key: value.get(key, "symmetric")}
    assert PrecisionPlan(default=stated).states_grids
    assert PrecisionPlan(layer=({"match": "*", **stated},)).states_grids
    assert not PrecisionPlan(default={"psum": "exact"}).states_grids
    assert not PrecisionPlan().states_grids


def test_survives_writing_and_reading(plan, tmp_path):
    path = tmp_path / "again.toml"
    path.write_text(dump_toml(plan), encoding="utf-8")
    assert load_precision(path) == plan
    assert hash(load_precision(path)) == hash(plan)


def test_the_example_shows_every_key_and_loads():
    text = EXAMPLE.read_text(encoding="utf-8")
    plan = load_precision(str(EXAMPLE))
    jsonschema.validate(tomllib.loads(text), json_schema(PrecisionPlan))
    assert all(f"\n{key} = " in text for key in children(find(PrecisionPlan, ("layer", 0))))
    undecided = LayerPrecision(**plan.default.stated(DATAPATH_KEYS))
    assert plan.for_layer("stem") == undecided, "its [default] states what holds without a plan"
    assert [str(plan.for_layer(name).weights) for name in ("block1.conv", "fc")] == ["int4", "int8n"]
