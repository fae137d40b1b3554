"""Do the files hold every digit of the result, and are they written whole?"""

import csv
import json
import math

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.reporting.files import write_text
from hwsim.reporting.manifest import manifest
from hwsim.reporting.plain import cell, plain
from hwsim.reporting.report import report
from hwsim.reporting.tables import TABLES, to_csv, write_tables
from hwsim.tables import Table


@pytest.mark.parametrize("name", TABLES)
def test_csv_round_trip(result, tmp_path, name):
    write_tables(result, tmp_path)
    table = getattr(result, name)
    with (tmp_path / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file, strict=True)
    assert head == list(table.columns)
    assert len(rows) == len(table)
    for row, expected in zip(rows, table.rows(), strict=True):
        for text, value in zip(row, expected.values(), strict=True):
            if value is None:
                assert text == ""
            elif isinstance(value, (int, float)):
                assert type(value)(text) == value
            else:
                assert text == value


def test_csv_is_rfc_4180():
    table = Table.of(("a", "b"), [('say "x",\n', np.float64(0.1)), (None, np.int64(3)), (True, float("inf"))])
    assert to_csv(table) == 'a,b\r\n"say ""x"",\n",0.1\r\n,3\r\ntrue,inf\r\n'


def test_result_json_holds_summary_notes_and_layers(result, tmp_path):
    write_tables(result, tmp_path)
    held = json.loads((tmp_path / "result.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert held["summary"]["energy_pj"] == result.summary["energy_pj"]
    assert held["summary"]["metrics"] == result.summary["metrics"]
    assert held["notes"] == list(result.notes)
    assert [row["layer"] for row in held["layers"]] == list(result.layers["layer"])
    assert math.isinf(float(held["layers"][2]["sqnr_db"]))
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8")) == plain(result.manifest)


def test_only_whole_files_remain(result, tmp_path):
    paths = write_tables(result, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = write_text(tmp_path / "a.csv", "old")

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_way_is_named(result, tmp_path):
    (tmp_path / "out").write_text("")
    for folder in (tmp_path / "out", tmp_path / "out" / "inner"):
        with pytest.raises(HwsimError, match=r"out.* must be a folder, but a file is in the way; name another folder"):
            report(result, folder)


def test_no_permission_is_said(result, tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(HwsimError, match=r"cannot be written: no permission for .*out; name another folder"):
        report(result, tmp_path / "out")


def test_a_folder_in_place_of_a_file_is_said(result, tmp_path):
    (tmp_path / "index.html").mkdir()
    with pytest.raises(HwsimError, match="cannot be written: Is a directory"):
        report(result, tmp_path)


def test_report_writes_everything_and_returns_the_page(result, machine, tmp_path):
    index = report(result, tmp_path / "a" / "b", accelerator=machine)
    assert index.name == "index.html"
    names = {path.name for path in index.parent.iterdir()}
    assert names == {"index.html", "result.json", "manifest.json", *(f"{name}.csv" for name in TABLES)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e300, "1e+300"),
        (-0.0, "-0.0"),
        (2**70, str(2**70)),
        ((1, 2), "[1, 2]"),
    ],
)
def test_cells(value, text):
    assert cell(value) == text


def test_manifest(tmp_path, machine):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"abc")
    made = manifest(
        "hwsim run x", {"machine": machine}, 7, {"model": model}, {"energy_provenance": []}, time="2026-01-01T00:00:00Z"
    )
    assert made["files"]["model"]["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert made["files"]["model"]["size_bytes"] == 3
    assert made["config"]["machine"]["clock_mhz"] == 500.0
    assert (made["seed"], made["command"], made["time"]) == (7, "hwsim run x", "2026-01-01T00:00:00Z")
    assert made["versions"]["numpy"] == np.__version__
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_manifest_refuses_a_clash_and_a_missing_file(tmp_path):
    with pytest.raises(HwsimError, match="extra must not hold keys of the manifest itself: seed; rename them"):
        manifest(None, {}, None, {}, {"seed": 1})
    with pytest.raises(HwsimError, match=r"missing\.onnx cannot be read: No such file"):
        manifest(None, {}, None, {"model": tmp_path / "missing.onnx"})
