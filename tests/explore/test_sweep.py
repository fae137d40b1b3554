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
