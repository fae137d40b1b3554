"""Does every figure draw, the same way each time, for a few layers and for many?"""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest

from hwsim.errors import HwsimError
from hwsim.reporting import figures
from hwsim.reporting.figures import NothingToDraw, to_inline_svg, to_svg
from hwsim.reporting.figures.tradeoff import front
from hwsim.reporting.palette import colours
from hwsim.reporting.roof import points_of, roof_of
from hwsim.tables import Table

RESULT_FIGURES = figures.names("result")


@pytest.mark.parametrize("name", figures.names())
def test_a_figure_file_states_what_the_page_needs(name):
    module = figures.figure(name)
    assert module.SUBJECT in {"result", "sweep", "diagnosis"}
    assert isinstance(module.ORDER, int)
    assert module.TITLE
    assert module.CAPTION.endswith(".")


def test_an_unknown_figure_is_named():
    with pytest.raises(HwsimError, match="figure: 'roofine' is unknown; did you mean 'roofline'"):
        figures.figure("roofine")


@pytest.mark.parametrize("name", RESULT_FIGURES)
def test_the_same_result_gives_the_same_bytes(result, machine, name):
    draw = figures.figure(name).draw
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False}):  # the user's settings have no say
        first = to_svg(draw(result, machine), name)
    assert first == to_svg(draw(result, machine), name)
    assert "dc:date" not in first


@pytest.mark.parametrize("name", RESULT_FIGURES)
def test_large_networks_draw_small_files_that_parse(large, machine, name):
    svg = to_inline_svg(figures.figure(name).draw(large, machine), name, "<title>")
    root = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert len(svg) < 250_000
    ids = [item.get("id") for item in root.iter() if item.get("id")]
    assert all(item.startswith(f"{name}-") for item in ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("count", [1, 10, 31, 61, 120, 300])
def test_bars_grow_with_the_layers_up_to_a_limit(synthetic, count):
    figure = figures.figure("energy_by_layer").draw(synthetic.result_of(count))
    assert 10 <= figure.get_figwidth() <= 24
    labels = figure.axes[0].get_xticklabels()
    assert len(labels) == (count if count <= 150 else -(-count // 2))


def test_names_are_drawn_as_they_are(result, synthetic):
    texts = [text.get_text() for text in figures.figure("sqnr_by_layer").draw(result).axes[0].get_xticklabels()]
    assert texts[0] == "[conv1]"
    svg = to_svg(figures.figure("sqnr_by_layer").draw(result), "x")
    assert "$x_1$ &amp; \\$" in svg  # neither mathematics nor a broken document
    assert "层·卷积" in svg


def test_a_colour_as_a_name_stays_a_name(synthetic):
    plain = synthetic.result_of(2, hostile=False)
    named = Table({**plain.layers.columns, "layer": ("#ffffff", 'id="a')})
    energy = Table({**plain.energy.columns, "layer": ("#ffffff",) * len(plain.energy)})
    result = type(plain)(
        **{key: getattr(plain, key) for key in ("accesses", "compute", "area", "summary", "outputs", "manifest")},
        layers=named,
        energy=energy,
    )
    svg = to_inline_svg(figures.figure("energy_by_layer").draw(result), "e", "t")
    assert ">#ffffff<" in svg
    assert '>id="a<' in svg
    assert "#ffffff" not in svg.replace(">#ffffff<", "")


def test_figures_say_what_is_missing(synthetic, result):
    with pytest.raises(NothingToDraw, match="the run had no inputs"):
        figures.figure("sqnr_by_layer").draw(synthetic.result_of(5, numbers=False))
    with pytest.raises(NothingToDraw, match="No machine was given"):
        figures.figure("roofline").draw(result, None)


def test_the_roof(result, machine):
    roof = roof_of(machine)
    assert roof.peak == 2 * 16 * 16 * 500e6
    assert roof.bytes_per_second == 8 * 500e6
    assert roof.ridge == 64
    points = points_of(result, machine)
    assert [point.cycles for point in points] == sorted((point.cycles for point in points), reverse=True)
    row = next(row for row in result.layers.rows() if row["layer"] == "[conv1]")
    point = next(point for point in points if point.name == "[conv1]")
    assert point.intensity == 2 * row["macs"] / row["dram_bytes"]
    assert point.speed == pytest.approx(2 * row["macs"] / (row["cycles"] / 500e6))


def test_bars_add_up_to_the_energy(result):
    axes = figures.figure("energy_by_layer").draw(result).axes[0]
    top = max(patch.get_path().vertices[:, 1].max() for patch in axes.patches)
    assert top == pytest.approx(max(result.layers["energy_pj"]) * 1e-12)


def test_tradeoff(synthetic):
    table = synthetic.sweep_table()
    draw = figures.figure("tradeoff").draw
    figure = draw(table)
    assert [axes.get_xlabel() for axes in figure.axes] == ["energy per inference", "latency per inference"]
    assert to_svg(figure, "t") == to_svg(draw(table), "t")
    single = Table({name: values[:1] for name, values in table.columns.items()})
    assert draw(single).axes
    with pytest.raises(NothingToDraw):
        draw(table.where(accuracy=None))


def test_shapes_of_a_sweep_are_recipes_and_registers_and_fit(synthetic):
    """The legend has a shape for each pair, in rows that do not leave the figure."""
    table, names = synthetic.sweep_table(), ("cle", "zeroquant_groups", "bias_correction", "white_paper")
    recipes = Table({**table.columns, "recipe": tuple(names[index % 4] for index in range(len(table)))})
    plain, figure = (figures.figure("tradeoff").draw(one) for one in (table, recipes))
    _, shapes = figure.legends
    texts = [text.get_text() for text in shapes.get_texts()]
    rows = [row for row in recipes.rows() if row["accuracy"] is not None]
    assert texts == [*sorted({f"{row['recipe']}, {row['accumulator']}" for row in rows}), "Pareto front"]
    figure.draw_without_rendering()
    inside = figure.bbox
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert box.y1 <= inside.y1
        assert all(not box.overlaps(axes.bbox) for axes in figure.axes)
    heights = [one.axes[0].bbox.height for one in (plain, figure)]
    assert heights[0] == pytest.approx(heights[1])


def test_every_shape_of_a_sweep_is_another_one(synthetic):
    """Also where there are more recipes and registers than shapes."""
    table = synthetic.sweep_table()
    recipes = Table({**table.columns, "recipe": tuple(f"recipe{index % 9}" for index in range(len(table)))})
    _, shapes = figures.figure("tradeoff").draw(recipes).legends
    looks = [(line.get_marker(), line.get_fillstyle()) for line in shapes.get_lines()]
    assert len(looks) > 12
    assert len(set(looks)) == len(looks)


def test_front_is_the_definition(synthetic):
    table = synthetic.sweep_table().columns
    costs, gains = table["energy_pj"][:-1], table["accuracy"][:-1]
    pairs = list(zip(costs, gains, strict=True))
    beaten = {(c, g) for c, g in pairs for d, h in pairs if d <= c and h >= g and (d, h) != (c, g)}
    assert [pairs[place] for place in front(costs, gains)] == sorted(set(pairs) - beaten)


def test_colours_differ_and_stay():
    names = [
        "dram",
        "weights",
        "ifmap",
        "ofmap",
        "accumulators",
        "array",
        "vector",
        "requantizer",
        "leakage",
        "clock",
        "noc",
    ]
    chosen = colours(names)
    assert len(set(chosen.values())) == len(names)
    assert len(colours(f"part{index}" for index in range(40))) == 40


def test_pyplot_is_never_imported():
    code = (
        "import runpy, sys; made = runpy.run_path(sys.argv[1])['result_of'](3)\n"
        "from hwsim.reporting.html import page; page(made)\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    synthetic = str(Path(__file__).with_name("synthetic.py"))
    done = subprocess.run([sys.executable, "-c", code, synthetic], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_stalls_are_told_apart_by_cause(result):
    figure = figures.figure("cycles_by_layer").draw(result)
    words = [text.get_text().rsplit(" ", 2)[0] for text in figure.legends[0].get_texts()]
    assert words == ["compute", "fill", "drain", "vector", "stall: ifmap", "stall: weight"]  # those that are not zero
    shares = [float(text.get_text().split()[-2]) for text in figure.legends[0].get_texts()]
    assert sum(shares) == pytest.approx(100, abs=0.5)
