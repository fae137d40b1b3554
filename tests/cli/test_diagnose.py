"""``hwsim diagnose`` as a user sees it."""

import csv
import json
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from hwsim.cli.diagnose import diagnose
from hwsim.errors import HwsimError

APP = typer.Typer()
APP.command()(diagnose)


def run(*arguments):
    done = CliRunner().invoke(APP, list(map(str, arguments)), catch_exceptions=False)
    return done.exit_code, done.output


def test_tables_findings_and_files(tmp_path):
    code, out = run(
        "digits_resnet", "--weights", "int2", "--granularity", "tensor", "--range", "minmax",
        "--images", 48, "--sweep-images", 16, "--out", tmp_path / "report",
    )  # fmt: skip
    assert code == 0
    assert "digits_resnet, with what is quantized; everything else is real:" in out
    assert "the weights are to blame" in out
    assert "   try cross-layer equalization" in out
    with (tmp_path / "report" / "quantizers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert f"and {len(rows) - 12} more, see --out" in out
    assert rows[0]["layer"] in out
    with (tmp_path / "report" / "channels.csv").open() as file:
        channels = list(csv.DictReader(file))
    assert float(channels[0]["low"]) <= float(channels[0]["high"])
    findings = json.loads((tmp_path / "report" / "findings.json").read_text())["findings"]
    assert f"1. {findings[0]['text']}" in out
    root = ElementTree.parse(tmp_path / "report" / "channel_ranges.svg").getroot()
    assert root.tag.endswith("svg")


def test_what_the_recipe_did_is_not_advised_again():
    code, out = run(
        "digits_mobilenet", "--recipe", "cle", "--activations", "uint2", "--images", 32, "--sweep-images", 4
    )  # fmt: skip
    assert code == 0
    assert "the activations are to blame" in out
    assert "try more bits for the worst ones" in out
    assert "equalization" not in out
    assert "--range mse" not in out


def test_a_network_without_images_is_told_what_to_give():
    with pytest.raises(
        HwsimError, match=r"diagnose: squeezenet has no images; give --inputs images\.npz, or --images N"
    ):
        run("squeezenet")
