"""``hwsim scalesim``, and SCALE-Sim's files in the other verbs."""

import json
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "simulation" / "scalesim" / "golden"
REPORTS = ("COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv", "DETAILED_ACCESS_REPORT.csv")


def test_writes_the_reports_and_says_where_the_models_differ(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli(
        "scalesim", "--config", GOLDEN / "ws_8x6.cfg", "--topology", GOLDEN / "conv.csv", "--out", "reports"
    )
    assert (code, err) == (0, "")
    for name in REPORTS:
        assert (tmp_path / "reports" / name).read_bytes() == (GOLDEN / "conv_ws_8x6" / name).read_bytes()
    assert "conv, 6 layers, on 8x6 ws (ws_8x6, CALC)" in out
    rows = (tmp_path / "reports" / "COMPUTE_REPORT.csv").read_text().splitlines()[1:]
    cycles = sum(int(row.split(", ")[2]) for row in rows)
    (line,) = [line for line in out.splitlines() if line.startswith("  array cycles")]
    assert f" {cycles:,} " in line
    assert "one cycle less per layer" in line


def test_user_mode_says_what_is_left_out(hwsim_cli, tmp_path):
    text = (GOLDEN / "ws_8x6.cfg").read_text().replace("CALC", "USER")
    (tmp_path / "user.cfg").write_text(text)
    code, out, _ = hwsim_cli("scalesim", "--config", "user.cfg", "--topology", GOLDEN / "gemm.csv")
    assert code == 0
    assert "SCALE-Sim's stalls are not copied" in out
    assert (tmp_path / "scalesim" / "COMPUTE_REPORT.csv").read_text().splitlines()[1].startswith("0, , ")


def test_a_machine_that_cannot_run_it_has_reports_but_no_comparison(hwsim_cli, tmp_path):
    text = (GOLDEN / "ws_8x6.cfg").read_text().replace("CALC", "USER")
    (tmp_path / "user.cfg").write_text(text)
    (tmp_path / "net.csv").write_text("Layer,M,N,K,\nfc,20000,2000,2000,\n")
    code, out, err = hwsim_cli("scalesim", "--config", "user.cfg", "--topology", "net.csv")
    assert (code, err) == (0, "")
    assert (tmp_path / "scalesim" / "COMPUTE_REPORT.csv").read_text().splitlines()[1].startswith("0, ")
    assert "No comparison, since hwsim's own model does not run this network on this machine: layer 'fc': " in out


def test_mistakes_are_one_paragraph(hwsim_cli):
    code, out, err = hwsim_cli("scalesim", "--config", GOLDEN / "conv.csv", "--topology", GOLDEN / "conv.csv")
    assert (code, out) == (2, "")
    assert "is not a valid .cfg" in err


def test_run_takes_a_topology_and_a_configuration(hwsim_cli, tmp_path):
    code, out, err = hwsim_cli(
        "run", GOLDEN / "conv.csv", "--hardware", GOLDEN / "os_8x6.cfg", "--weights", "int4", "--set", "array.rows=4"
    )
    assert (code, err) == (0, "")
    assert "stride_beyond_filter" in out
    summary = json.loads((tmp_path / "report" / "result.json").read_text())["summary"]
    assert summary["macs"] == sum(
        m * k * n for m, k, n in [(90, 45, 20), (144, 108, 17), (20, 9, 1), (20, 9, 1), (9, 28, 9), (72, 40, 33)]
    )
    assert "cost only" in out
