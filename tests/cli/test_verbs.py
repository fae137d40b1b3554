"""What a user types."""

import csv
import json
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest

from hwsim.zoo import dataset, load_model


def loaded_modules(*arguments):
    code = (
        "import sys, hwsim.cli\n"
        f"sys.argv = {['hwsim', *arguments]!r}\n"
        "try:\n    hwsim.cli.main()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("sweep", "--help"), ("trace", "--help"), ("--version",)]
)
def test_help_loads_nothing_heavy(arguments):
    assert not {"numpy", "numba", "onnx", "matplotlib", "networkx", "jinja2"} & loaded_modules(*arguments)


def test_run_on_the_bundled_network(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli("run", "--images", 40)
    assert (code, err) == (0, "")
    assert "block1.conv1" in out
    report = tmp_path / "report"
    assert (report / "index.html").stat().st_size > 10_000
    summary = json.loads((report / "result.json").read_text())["summary"]
    assert summary["macs"] == 1_857_504
    assert summary["metrics"]["accuracy"] >= 0.97
    with (report / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["macs"] or 0) for row in rows) == summary["macs"]
    manifest = json.loads((report / "manifest.json").read_text())
    assert manifest["command"] == "hwsim run --images 40"


def test_run_with_everything_stated(hwsim_cli, tmp_path):
    onnx.save(load_model("digits_mobilenet"), tmp_path / "model.onnx")
    np.savez(tmp_path / "images.npz", **{key: value[:50] for key, value in dataset("digits_mobilenet", "test").items()})
    code, _out, err = hwsim_cli(
        "run", "model.onnx", "--hardware", "edge_16x16", "--weights", "int4", "--activations", "uint8",
        "--accumulator", "int16:saturate", "--inputs", "images.npz", "--out", "out/",
    )  # fmt: skip
    assert (code, err) == (0, "")
    layers = json.loads((tmp_path / "out" / "result.json").read_text())["layers"]
    convolutions = [row for row in layers if row["op"] == "Conv"]
    assert {row["weights"] for row in convolutions} == {"int4"}
    assert {row["accumulator"] for row in convolutions} == {"int16:saturate"}


def test_power_of_two_requantizer_gets_scales_that_it_can_shift(hwsim_cli):
    code, out, err = hwsim_cli("run", "--images", 10, "--requantizer", "power_of_two:half_even")
    assert (code, err) == (0, "")
    assert "powers of two" in out


def test_precision_plan_applies_per_layer(hwsim_cli, tmp_path):
    (tmp_path / "plan.toml").write_text(
        '[default]\nweights = "int8"\n[[layer]]\nmatch = "block2.*"\nweights = "int4"\naccumulator = "int18:saturate"\n'
    )
    code, _, err = hwsim_cli("run", "--images", 10, "--precision", "plan.toml")
    assert (code, err) == (0, "")
    layers = {row["layer"]: row for row in json.loads((tmp_path / "report" / "result.json").read_text())["layers"]}
    assert (layers["block2.conv1"]["weights"], layers["block2.conv1"]["accumulator"]) == ("int4", "int18:saturate")
    assert layers["block1.conv1"]["weights"] == "int8"


def test_a_topology_without_trained_weights_is_priced_only(hwsim_cli):
    code, out, err = hwsim_cli("run", "squeezenet", "--hardware", "tpu_like_128x128")
    assert (code, err) == (0, "")
    assert "not trained" in out


def test_sweep_resumes_and_draws(hwsim_cli, tmp_path):
    arguments = ("sweep", "--images", 20, "--activations", "uint8", "--accumulators", "exact,int16:saturate")
    code, _out, err = hwsim_cli(*arguments, "--weights", "int3..int4")
    assert (code, err) == (0, "")
    first = (tmp_path / "sweep" / "sweep.csv").read_text()
    assert len(first.splitlines()) == 5
    cut = first[: first.rindex("\n") - 30]  # as if the machine had died while writing the last row
    (tmp_path / "sweep" / "sweep.csv").write_text(cut)
    code, _, err = hwsim_cli(*arguments, "--weights", "int3..int4")
    assert (code, err) == (0, "")
    assert (tmp_path / "sweep" / "sweep.csv").read_text() == first
    assert list((tmp_path / "sweep").glob("tradeoff.*"))


def test_a_sweep_in_the_integers_of_a_runtime_is_that_of_its_runs(hwsim_cli, tmp_path):
    few = ("--images", 30, "--psum", "exact")
    sweep = ("sweep", *few, "--weights", "int4", "--activations", "uint5", "--accumulators", "int16:saturate")
    found = {}
    for runtime in ("onnxruntime", "tflite"):
        chosen = ("--runtime", runtime)
        code, _, err = hwsim_cli(*sweep, *chosen)  # into one folder: another machine's points are others
        assert (code, err) == (0, "")
        widths = ("--weights", "int4", "--activations", "uint5", "--accumulator", "int16:saturate")
        assert hwsim_cli("run", *few, *chosen, *widths)[::2] == (0, "")
        summary = json.loads((tmp_path / "report" / "result.json").read_text())["summary"]
        with (tmp_path / "sweep" / "sweep.csv").open() as file:
            row = list(csv.DictReader(file))[-1]
        assert float(row["sqnr_db"]) == summary["sqnr_db"]
        assert float(row["energy_pj"]) == summary["energy_pj"]
        found[runtime] = row["sqnr_db"]
    assert len(set(found.values())) == 2


@pytest.mark.parametrize(
    "what", ["hardware", "models", "requantizers", "modes", "ranges", "formats", "energy", "operators", "metrics"]
)
def test_show(hwsim_cli, what):
    code, out, err = hwsim_cli("show", what)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) >= 2


def test_show_one_mode_at_all_widths(hwsim_cli):
    code, out, err = hwsim_cli("show", "modes", "fusion:8")
    assert (code, err) == (0, "")
    assert re.search(r"2 x 4 +8 +1 +1 +8$", out, flags=re.MULTILINE)
    code, out, err = hwsim_cli("show", "modes", "fsion")
    assert (code, out) == (2, "")
    assert "show modes: 'fsion' is unknown; did you mean 'fusion'?" in " ".join(err.split())


def test_show_one_recipe_tells_where_its_demands_were_read_off(hwsim_cli):
    code, out, _ = hwsim_cli("show", "recipes", "minmax")
    assert code == 0
    assert "multiplies uint8 x int8" in out
    assert "(by default, read off a probe network of four small layers)" in " ".join(out.split())


def test_show_one_machine_as_a_file_that_loads(hwsim_cli, tmp_path):
    _, out, _ = hwsim_cli("show", "hardware", "gemmini_16x16")
    (tmp_path / "mine.toml").write_text(out)
    code, out, err = hwsim_cli("check", "--hardware", "mine.toml")
    assert (code, err) == (0, "")
    assert "fits gemmini_16x16" in out


def test_check_says_what_can_overflow(hwsim_cli):
    code, out, _ = hwsim_cli("check", "--accumulator", "int16:wrap")
    assert code == 0
    assert "can overflow" in out
    heads = [line.split() for line in out.splitlines() if line.split()[:1] == ["layer"]]
    assert heads == [["layer", "types", "A2Q", "A2Q+", "exact", "machine"]] * 2
    assert "it uses the L1 norm plus |sum| instead" in out
