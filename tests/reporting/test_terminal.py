"""Does one screen tell the truth at every width, to a person and to a pipe?"""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from hwsim.reporting.columns import hidden_line, top_rows
from hwsim.reporting.terminal import print_result
from hwsim.tables import Table


def screen(result, width, **options):
    file = io.StringIO()
    print_result(result, Console(file=file, width=width, **options))
    return file.getvalue()


@pytest.mark.parametrize("width", [50, 80, 100, 120, 200])
def test_every_line_fits_and_nothing_is_cut(result, width):
    text = screen(result, width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert "\x1b" not in text
    table = text[: text.index("accuracy")]
    assert "…" not in "".join(line.split("  ", 1)[1] for line in table.splitlines() if "  " in line)


def test_names_are_text_not_markup(result):
    text = screen(result, 120)
    assert "[conv1]" in text
    assert "[/bold]\N{REPLACEMENT CHARACTER}[31m" in text
    assert "note  an illustrative <note> [red]" in text


def test_the_numbers_at_100_columns(result):
    lines = screen(result, 100).splitlines()
    assert lines[0].split() == ["layer", "op", "MACs", "cycles", "util", "%", "DRAM", "energy", "SQNR", "dB", "ovflow"]
    row = next(line for line in lines if line.startswith("层·卷积"))
    assert row.split()[-2:] == ["exact", "0"]
    total = next(line for line in lines if line.startswith("total"))
    assert total.split()[-2:] == ["27.3", "7"]
    text = "\n".join(lines)
    for words in (
        "91.22 %",
        "float 92.34 % (-1.12)",
        "TOPS/W",
        "frames/s",
        "DRAM/inference",
        "mm²",
        "energy by component",
    ):
        assert words in text


def test_narrow_screens_drop_columns_but_keep_macs_cycles_energy(result):
    assert screen(result, 50).splitlines()[0].split() == ["layer", "MACs", "cycles", "energy"]


def test_wide_screens_add_the_energy_by_component(result):
    head = screen(result, 200).splitlines()[0]
    assert "array %" in head
    assert "dram %" in head


def test_a_cost_only_run_has_no_numeric_columns(synthetic):
    text = screen(synthetic.result_of(6, numbers=False, batch=4), 120)
    assert "SQNR" not in text
    assert "accuracy" not in text
    assert "batch of 4" in text


def test_large_networks_show_the_top_layers(large):
    text = screen(large, 110)
    shown = top_rows(large, 40)
    assert len(shown) == 40
    assert shown == sorted(shown)
    assert "110 of 150 layers not shown" in text
    assert len(text.splitlines()) < 70
    most = max(range(150), key=large.layers["energy_pj"].__getitem__)
    assert most in shown


def test_forty_five_layers_are_all_shown(synthetic):
    result = synthetic.result_of(45)
    assert hidden_line(result, top_rows(result, 45)) is None
    assert "not shown" not in screen(result, 110)


def test_colour_only_where_there_is_colour(result):
    assert "█" not in screen(result, 100)
    coloured = screen(result, 100, force_terminal=True, color_system="truecolor", legacy_windows=False)
    assert "█" in coloured


def test_a_stream_without_unicode_gets_plain_letters(result):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_result(result, Console(file=file, width=100))
    file.flush()
    assert "uJ" in raw.getvalue().decode("ascii")


def test_an_empty_network_prints(result):
    empty = replace(
        result,
        layers=Table(dict.fromkeys(result.layers.columns, ())),
        energy=Table(dict.fromkeys(result.energy.columns, ())),
        summary={},
        notes=(),
    )
    assert "total" in screen(empty, 80)


def test_printing_imports_no_matplotlib_and_no_jinja():
    code = (
        "import runpy, sys; made = runpy.run_path(sys.argv[1])['result_of'](3)\n"
        "from hwsim.reporting.terminal import print_result; print_result(made)\n"
        "sys.exit(', '.join({'matplotlib', 'jinja2', 'numba'} & set(sys.modules)) or 0)"
    )
    synthetic = str(Path(__file__).with_name("synthetic.py"))
    done = subprocess.run([sys.executable, "-c", code, synthetic], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout
