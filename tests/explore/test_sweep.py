import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.explore.store import PointStore, point_id
from hwsim.schedule import Options

FEW = {key: value[:40] for key, value in hwsim.dataset("digits_resnet", "test").items()}
CALIBRATION = hwsim.dataset("digits_resnet", "calibration")
NETWORK = hwsim.load("digits_resnet")
MACHINE = hwsim.accelerator("edge_16x16")


def run(out=None, progress=iter, machine=MACHINE, **choices):
    chosen = {"weights": ["int3", "int6"], "activations": ["uint6"], "accumulators": ["exact", "int14:wrap"], **choices}
    return hwsim.sweep(NETWORK, machine, FEW, CALIBRATION, out=out, progress=progress, **chosen)


def test_a_row_per_combination_in_order():
    table = run()
    assert list(zip(table["weights"], table["accumulator"], strict=True)) == [
        ("int3", "exact"),
        ("int3", "int14:wrap"),
        ("int6", "exact"),
        ("int6", "int14:wrap"),
    ]


def test_a_text_is_one_choice():
    one = {"weights": "int3", "activations": "uint6", "accumulators": "exact", "recipes": "minmax"}
    several = run(**{name: [value] for name, value in one.items()})
    assert list(run(**one).rows()) == list(several.rows())


def test_an_interrupted_sweep_resumes_where_it_was(tmp_path):
    def dies_after_two(points):
        for index, point in enumerate(points):
            if index == 2:
                raise KeyboardInterrupt
            yield point

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, dies_after_two)
    kept = (tmp_path / "sweep.csv").read_text()
    assert len(kept.splitlines()) == 3
    asked = []
    table = run(tmp_path, lambda points: asked.extend(points) or points)
    assert [point.weights for point in asked] == ["int6", "int6"]
    assert (tmp_path / "sweep.csv").read_text().startswith(kept)
    assert table.columns == run().columns


def test_a_row_that_was_cut_off_is_run_again(tmp_path):
    run(tmp_path)
    whole = (tmp_path / "sweep.csv").read_text()
    (tmp_path / "sweep.csv").write_text(whole[:-20])
    run(tmp_path)
    assert (tmp_path / "sweep.csv").read_text() == whole


def test_another_machine_is_another_point(tmp_path):
    run(tmp_path)
    bigger = hwsim.accelerator("edge_16x16", overrides=["array.rows=8"])
    table = run(tmp_path, machine=bigger)
    assert len((tmp_path / "sweep.csv").read_text().splitlines()) == 9
    assert table["cycles"] != run()["cycles"]


def test_latency_and_area_rise_with_the_widths():
    table = run(
        weights=["int2", "int4", "int5", "int8"], activations=["uint4", "uint6", "uint8"], accumulators=["exact"],
        scheduling=Options(objective="cycles"),
    )  # fmt: skip
    for column, slack in (("latency_s", 0.003), ("area_mm2", 0.0)):  # what stays on chip is chosen greedily
        grid = np.array(table[column]).reshape(4, 3)
        assert (grid[1:] >= grid[:-1] * (1 - slack)).all()
        assert (grid[:, 1:] >= grid[:, :-1] * (1 - slack)).all()


def test_the_accumulator_is_put_where_the_machine_sums():
    stationary = run(machine=hwsim.accelerator("edge_16x16_os"), weights=["int6"], accumulators=["int14:wrap"])
    assert stationary["overflow_events"][0] > 0


def test_point_names_depend_on_every_fact():
    assert point_id({"a": 1, "b": 2}) == point_id({"b": 2, "a": 1})
    assert point_id({"a": 1}) != point_id({"a": 2})


def test_a_table_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "sweep.csv").write_text("x,y\n1,2\n")
    with pytest.raises(HwsimError, match="columns differ"):
        PointStore(tmp_path / "sweep.csv", ("a",))


RECIPES = {"weights": ["int3"], "accumulators": ["exact"], "recipes": [None, "minmax", "cle"]}


def test_recipes_are_an_axis():
    """A point is what the recipe gives outside of a sweep, priced and executed on the machine of the point."""
    table = run(**{**RECIPES, "recipes": ["minmax", "bias_correction"], "accumulators": ["exact", "int9:wrap"]})
    assert table["recipe"] == ("minmax", "minmax", "bias_correction", "bias_correction")
    for row in table.rows():
        machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.accumulator={row['accumulator']}"])
        keys = {"recipe": row["recipe"], "weights": "int3", "activations": "uint6", "accelerator": machine}
        graph = hwsim.quantize(NETWORK, calibration=CALIBRATION, **keys)
        summary = hwsim.simulate(graph, machine, FEW, reference=NETWORK).summary
        for name in ("energy_pj", "overflow_events"):
            assert row[name] == summary[name]
        assert row["sqnr_db"] == pytest.approx(summary["sqnr_db"], abs=1e-4)  # the reference has its batch norm folded
        assert row["accuracy"] == summary["metrics"]["accuracy"]
    assert len(set(table["sqnr_db"])) == 4


def test_a_sweep_of_recipes_resumes(tmp_path):
    first = run(tmp_path, **{**RECIPES, "recipes": [None, "cle"]})
    asked = []
    table = run(tmp_path, lambda points: asked.extend(points) or points, **RECIPES)
    assert [point.recipe for point in asked] == ["minmax"]
    rows = list(table.rows())
    assert [rows[0], rows[2]] == list(first.rows())
    assert [row["recipe"] for row in rows] == [None, "minmax", "cle"]
    run(tmp_path, lambda points: asked.extend(points) or points, **RECIPES, seed=1)
    assert [point.recipe for point in asked[1:]] == ["minmax", "cle"]


def test_options_are_facts_of_the_recipes_that_have_them(tmp_path):
    choices = {**RECIPES, "recipes": ["cle", "data_free"]}
    assert run(tmp_path, **choices, options={"input_high": "0.5"})["recipe"] == ("cle", "data_free")
    asked = []
    run(tmp_path, lambda points: asked.extend(points) or points, **choices, options={"input_high": 0.5})
    assert not asked, "the text of a value is the value"
    run(tmp_path, lambda points: asked.extend(points) or points, **choices, options={"input_high": 0.75})
    assert [point.recipe for point in asked] == ["data_free"]
    with pytest.raises(
        HwsimError, match="option 'input_hig' is one of no recipe of cle, data_free; did you mean 'input_h"
    ):
        run(**choices, options={"input_hig": 0.75})
    with pytest.raises(HwsimError, match="recipe: 'clee' is unknown; did you mean 'cle'"):
        run(**{**choices, "recipes": ["clee"]})


def test_a_table_without_the_column_of_recipes_is_resumed(tmp_path):
    """As earlier versions wrote it: the names of its points have not changed."""
    run(tmp_path)
    path = tmp_path / "sweep.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index("recipe")
    earlier = "".join(",".join([*line[:place], *line[place + 1 :]]) + "\n" for line in lines)
    path.write_text(earlier)
    asked = []
    table = run(tmp_path, lambda points: asked.extend(points) or points)
    assert not asked
    assert set(table["recipe"]) == {None}
    assert path.read_text() == earlier, "reading changes nothing"
    run(tmp_path, **RECIPES)
    found = path.read_text().splitlines()
    assert found[0] == ",".join(lines[0])
    assert [line.split(",") for line in found[1 : len(lines)]] == lines[1:]
    assert len(found) == len(lines) + 2, "the point without a recipe was there"


def test_the_names_of_points_are_those_of_earlier_versions(tmp_path):
    """What is hashed of a point without a recipe, written out."""
    import hashlib
    import json

    from hwsim.explore.quantizer import Point, Quantizer

    quantizer = Quantizer(graph=NETWORK, accelerator=MACHINE, calibration={}, range=None, options={}, seed=3)
    point = Point(weights="int3", activations="uint6", accumulator="exact")
    text = json.dumps({"point": ["int3", "uint6", "exact"], "range": "mse"}, sort_keys=True, separators=(",", ":"))
    assert point_id(quantizer.facts(point)) == hashlib.sha256(text.encode()).hexdigest()[:16]
