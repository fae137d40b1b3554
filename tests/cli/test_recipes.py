"""``--recipe`` and ``--option`` of the verbs that sweep, check and trace: what ``run`` takes, they take."""

import csv
import json

import hwsim
from hwsim.explore.check import overflow_table
from hwsim.schedule import schedule


def points(folder):
    with (folder / "sweep" / "sweep.csv").open() as file:
        return list(csv.DictReader(file))


SWEEP = (
    "sweep", "--images", 30, "--weights", "int3,int4", "--activations", "uint6", "--accumulators", "exact", "--recipe",
)  # fmt: skip


def test_a_sweep_of_recipes_has_their_runs(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli(*SWEEP, "minmax, bias_correction")
    assert (code, err) == (0, "")
    assert "4 points" in out
    found = {(row["recipe"], row["weights"]): row for row in points(tmp_path)}
    assert list(found) == [(name, width) for name in ("minmax", "bias_correction") for width in ("int3", "int4")]
    for (name, width), row in found.items():
        hwsim_cli(
            "run",
            "--images",
            30,
            "--recipe",
            name,
            "--weights",
            width,
            "--activations",
            "uint6",
            "--accumulator",
            "exact",
        )
        summary = json.loads((tmp_path / "report" / "result.json").read_text())["summary"]
        assert float(row["sqnr_db"]) == summary["sqnr_db"]
        assert float(row["energy_pj"]) == summary["energy_pj"]
    front = (tmp_path / "sweep" / "pareto.csv").read_text().splitlines()
    assert "recipe" in front[0].split(",")
    before = (tmp_path / "sweep" / "sweep.csv").read_text()
    assert hwsim_cli(*SWEEP, "minmax", "--recipe", "cle")[0] == 0
    after = (tmp_path / "sweep" / "sweep.csv").read_text()
    assert after.startswith(before)
    assert [row["recipe"] for row in points(tmp_path)[4:]] == ["cle", "cle"]


def test_an_option_that_no_recipe_of_a_sweep_has(hwsim_cli, tmp_path):
    code, _, err = hwsim_cli(*SWEEP, "minmax,cle", "--option", "iterations=5")
    assert code == 2
    assert "sweep: option 'iterations' is one of no recipe of minmax, cle" in err
    code, _, err = hwsim_cli(*SWEEP[:-1], "--option", "iterations=5")
    assert code == 2
    assert "--option: it is one of a recipe; name that with --recipe" in err
    code, _, err = hwsim_cli(*SWEEP, "minmax,cel")
    assert code == 2
    assert "recipe: 'cel' is unknown; did you mean 'cle'?" in err
    assert not (tmp_path / "sweep").exists()


def table_of(out):
    """The lines of the accumulators in what ``check`` prints."""
    lines = out.splitlines()
    start = max(index for index, line in enumerate(lines) if line.split()[:1] == ["layer"])
    return {line.split()[0]: line.split()[1:] for line in lines[start + 1 :] if line.startswith("  ")}


def test_check_bounds_the_weights_that_the_recipe_finds(hwsim_cli):
    code, plain, err = hwsim_cli("check", "--weights", "int4")
    assert (code, err) == (0, "")
    code, found, err = hwsim_cli("check", "--weights", "int4", "--recipe", "cle")
    assert (code, err) == (0, "")
    assert table_of(plain).keys() == table_of(found).keys()
    assert table_of(plain) != table_of(found)
    network, calibration = hwsim.load("digits_resnet"), hwsim.dataset("digits_resnet", "calibration")
    machine = hwsim.accelerator("edge_16x16")
    graph = hwsim.quantize(network, recipe="cle", weights="int4", calibration=calibration, accelerator=machine)
    rows = list(overflow_table(graph, machine, schedule(graph, machine).mappings).rows())
    assert {row["layer"]: str(row["accumulator_bits"]) for row in rows} == {
        layer: cells[3] for layer, cells in table_of(found).items()
    }


def test_check_with_images_counts_every_preloaded_bias(hwsim_cli):
    start = ("check", "--set", "datapath.bias=start")
    assert "preloaded biases are not all counted" in hwsim_cli(*start)[1]
    assert "preloaded biases are not all counted" not in hwsim_cli(*start, "--images", 20)[1]
    code, _, err = hwsim_cli("check", "--option", "iterations=3")
    assert code == 2
    assert "name that with --recipe" in err


def test_trace_draws_the_grids_of_a_recipe(hwsim_cli, tmp_path):
    """A scale per group of k and ranges of the run are layers and cycles of their own."""
    arguments = ("trace", "digits_mobilenet", "--weights", "int4", "--limit", 5)
    cycles = []
    for more in ((), ("--recipe", "zeroquant_groups"), ("--recipe", "zeroquant_groups", "--option", "run_time=false")):
        code, out, err = hwsim_cli(*arguments, *more)
        assert (code, err) == (0, "")
        cycles.append(int(out.splitlines()[0].split(" layers, ")[1].split()[0].replace(",", "")))
    assert len(set(cycles)) == 3
    assert json.loads((tmp_path / "trace.json").read_text())


def test_a_recipe_of_a_cost_only_network_needs_images(hwsim_cli):
    code, _, err = hwsim_cli("trace", "squeezenet", "--recipe", "minmax")
    assert code == 2
    assert "recipe minmax: needs calibration images" in err
