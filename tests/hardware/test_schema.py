"""The JSON schemas for editors: committed, described, and as strict as the loader."""

import json
import tomllib

import jsonschema
import pytest

from hwsim.hardware import load_accelerator, load_precision
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.precision import PrecisionPlan
from hwsim.hardware.schema import committed_text, json_schema

MODELS = (Accelerator, PrecisionPlan)


@pytest.mark.parametrize("model", MODELS)
def test_committed_file_is_up_to_date(model):
    assert json.loads(committed_text(model)) == json_schema(model), "run python -m hwsim.hardware.schema"


@pytest.mark.parametrize("model", MODELS)
def test_is_a_schema(model):
    jsonschema.Draft7Validator.check_schema(json_schema(model))


@pytest.mark.parametrize("model", MODELS)
def test_every_key_has_a_description(model):
    def check(node, path):
        for key, child in node.get("properties", {}).items():
            assert child.get("description"), f"{path}.{key}"
            for branch in (child, child.get("items", {}), *child.get("anyOf", [])):
                check(branch, f"{path}.{key}")

    check({key: value for key, value in json_schema(model).items() if key != "else"}, model.__name__)


MACHINE = {
    "name": "mine",
    "clock_mhz": 100,
    "array": {"dataflow": "weight_stationary", "rows": 4, "columns": 4},
    "memory": [
        {"name": "all", "holds": ["ifmap", "weight", "ofmap", "psum"], "size_bytes": 8, "read_bits_per_cycle": 8,
         "write_bits_per_cycle": 8}
    ],
}  # fmt: skip


def is_valid(data, model=Accelerator) -> bool:
    return jsonschema.Draft7Validator(json_schema(model)).is_valid(data)


def test_what_is_required():
    assert is_valid(MACHINE)
    for key in MACHINE:
        assert not is_valid({name: value for name, value in MACHINE.items() if name != key}), key
    for key in ("array", "memory"):
        part = MACHINE[key] if key == "array" else MACHINE[key][0]
        for left_out in part:
            less = {name: value for name, value in part.items() if name != left_out}
            assert not is_valid({**MACHINE, key: less if key == "array" else [less]}), left_out
    assert not is_valid({**MACHINE, "layer": [{"psum": "exact"}]})


def test_a_variant_may_leave_out_what_it_inherits_but_not_its_names():
    assert is_valid({"extends": "edge_16x16", "name": "a", "array": {"rows": 4}, "memory": [{"name": "weights"}]})
    assert not is_valid({"extends": "edge_16x16"})
    assert not is_valid({"extends": "edge_16x16", "name": "a", "memory": [{"size_bytes": 3}]})


@pytest.mark.parametrize(
    "part",
    [
        {"colour": 1}, {"clock_mhz": 0}, {"clock_mhz": "fast"}, {"array": {**MACHINE["array"], "rows": 0}},
        {"datapath": {"psum": "int65"}}, {"datapath": {"requantizer": "Float 32"}}, {"datapath": {"multiplier_weight_bits": "any"}},
        {"datapath": {"requantizer": {"rounding": "up"}}}, {"dram": {"latency_cycles": -1}}, {"vector": 3},
    ],
)  # fmt: skip
def test_what_the_loader_refuses_the_schema_refuses(part):
    assert not is_valid({**MACHINE, **part})


@pytest.mark.parametrize(
    "part",
    [
        {"datapath": {"requantizer": "fixed_point:16:half_up"}}, {"datapath": {"multiplier_weight_bits": "matched"}},
        {"datapath": {"psum": "exact", "accumulator": "int64"}}, {"layer": [{"match": "a*", "requantizer": {"scheme": "float32"}}]},
    ],
)  # fmt: skip
def test_what_the_loader_takes_the_schema_takes(part):
    assert is_valid({**MACHINE, **part})
    assert Accelerator.model_validate({**MACHINE, **part})


def test_defaults_shown_to_editors_are_the_real_ones():
    real = load_accelerator("edge_16x16", overrides=["datapath={}", "vector={}", "dram={}"])
    for part in ("datapath", "vector", "dram"):
        texts = getattr(real, part).model_dump(mode="json")
        for key, node in json_schema(Accelerator)["properties"][part]["properties"].items():
            value = getattr(getattr(real, part), key)
            assert node["default"] == (texts[key] if value is None or isinstance(value, int | float) else str(value))


def test_a_plan_obeys_its_schema(tmp_path):
    text = 'default = { weights = "int4" }\n[[layer]]\nmatch = "fc"\npsum = "int20"\nrequantizer = "float32"'
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    load_precision(path)
    assert is_valid(tomllib.loads(text), PrecisionPlan)
    assert not is_valid({"default": {"weights": "int33"}}, PrecisionPlan)
    assert not is_valid({"layer": [{"weights": "int4"}]}, PrecisionPlan)
