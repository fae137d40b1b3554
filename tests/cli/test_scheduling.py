"""Options of the mapper on every verb that maps, and the timeline."""

import gzip
import json
import tomllib

import pytest

from hwsim.cli import options
from hwsim.schedule import Options


def summary_of(tmp_path):
    return json.loads((tmp_path / "report" / "result.json").read_text())


def test_a_saved_mapping_gives_the_same_run_and_an_edited_one_another(hwsim_cli, tmp_path):
    few = ("run", "--images", 2)
    code, out, err = hwsim_cli(*few, "--objective", "energy", "--save-mapping", "plans/plan.toml")
    assert (code, err) == (0, "")
    assert "Mapping: plans/plan.toml" in out
    first = summary_of(tmp_path)
    path = tmp_path / "plans" / "plan.toml"
    assert hwsim_cli(*few, "--mapping", path, "--save-mapping", "again.toml")[::2] == (0, "")
    assert summary_of(tmp_path)["layers"] == first["layers"]
    assert (tmp_path / "again.toml").read_text() == path.read_text()
    manifest = json.loads((tmp_path / "report" / "manifest.json").read_text())
    assert manifest["files"]["mapping"]["path"].endswith("plan.toml")
    assert len(manifest["scheduling"]["stated"]["layer"]) == len(tomllib.loads(path.read_text())["layer"])

    (tmp_path / "one.toml").write_text('[[layer]]\nmatch = "block1.conv?"\ntile = {m = 8, k = 9, n = "all"}\n')
    assert hwsim_cli(*few, "--mapping", "one.toml")[::2] == (0, "")
    edited = summary_of(tmp_path)
    tiles = {row["layer"]: row["tile"] for row in edited["layers"]}
    assert tiles["block1.conv1"].startswith("8x9x")
    assert edited["summary"]["cycles"] > first["summary"]["cycles"]


def test_objective_and_residency_reach_the_mapper_and_the_report(hwsim_cli, tmp_path):
    found = {}
    for name, extra in (
        ("cycles", ("--objective", "cycles")),
        ("energy", ("--objective", "energy")),
        ("none", ("--objective", "cycles", "--no-residency")),
    ):
        code, out, err = hwsim_cli("run", "digits_mobilenet", "--images", 2, *extra)
        assert (code, err) == (0, "")
        found[name] = summary_of(tmp_path)
        assert f"mapped for {'energy' if name == 'energy' else 'cycles'} " in " ".join(out.split())
    page = (tmp_path / "report" / "index.html").read_text()
    assert "no activations on chip" in page
    assert found["energy"]["summary"]["energy_pj"] < found["cycles"]["summary"]["energy_pj"]
    assert not any(row["on_chip"] for row in found["none"]["layers"])
    kept = [row["on_chip"] for row in found["cycles"]["layers"] if row["on_chip"]]
    assert any("reads" in text and "writes" in text for text in kept)
    assert found["none"]["summary"]["dram_bytes"] > found["cycles"]["summary"]["dram_bytes"]


def test_the_default_is_the_library_s():
    assert Options().objective == options.DEFAULT_OBJECTIVE


def test_check_and_sweep_take_the_options_too(hwsim_cli, tmp_path):
    (tmp_path / "plan.toml").write_text('[[layer]]\nmatch = "fc"\ntile = {m = 1, k = 1, n = 1}\n')
    code, _, err = hwsim_cli("check", "--mapping", "plan.toml")
    assert code == 2
    assert "no array layer matches 'fc'" in err
    code, _, err = hwsim_cli("check", "--no-residency", "--no-prefetch", "--objective", "energy")
    assert (code, err) == (0, "")
    few = ("sweep", "--images", 2, "--weights", "int8", "--activations", "uint8", "--accumulators", "exact")
    code, _, err = hwsim_cli(*few)
    assert (code, err) == (0, "")
    code, _, err = hwsim_cli(*few, "--no-residency")  # other points than those in the folder
    assert (code, err) == (0, "")
    rows = (tmp_path / "sweep" / "sweep.csv").read_text().splitlines()
    assert len(rows) == 3


@pytest.mark.parametrize("verb", ["run", "check", "sweep", "trace"])
def test_an_unknown_objective(hwsim_cli, verb):
    code, _, err = hwsim_cli(verb, "--objective", "cycle")
    assert code == 2
    assert "--objective: 'cycle' is unknown; did you mean 'cycles'?" in err


def test_trace(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli(
        "trace", "--limit", 4, "--layers", "block1.*", "--out", "t/trace.json.gz", "--set", "array.rows=8"
    )
    assert (code, err) == (0, "")
    assert "open it in ui.perfetto.dev" in out
    document = json.loads(gzip.decompress((tmp_path / "t" / "trace.json.gz").read_bytes()))
    assert document["otherData"]["command"].startswith("hwsim trace --limit 4")
    cycles = hwsim_cli("run", "--images", 1, "--set", "array.rows=8") and summary_of(tmp_path)["summary"]["cycles"]
    assert f"{cycles:,} cycles" in out
    slices = [event for event in document["traceEvents"] if event["ph"] == "X"]
    assert max(event["args"]["begin_cycle"] + event["args"]["cycles"] for event in slices) == cycles


def test_a_trace_of_no_layer(hwsim_cli):
    code, _, err = hwsim_cli("trace", "--layers", "block1.conv")
    assert code == 2
    assert "--layers: no layer of digits_resnet matches 'block1.conv'; did you mean 'block1.conv" in err
