"""Is the page whole, escaped, and silent towards the network?"""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from hwsim.reporting.html import page, write_html
from hwsim.reporting.layer_grid import layer_grid, sort_key

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that elements close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def text(result, machine):
    return page(result, machine)


def test_it_parses_and_has_every_section(text):
    reader = read(text)
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(set(ids)) == len(ids)
    for anchor in ("figures", "layers", "energy", "area", "provenance", "machine", "manifest"):
        assert anchor in ids
    assert reader.tags.count("svg") == 5
    targets = [value for tag, name, value in reader.attributes if name == "href" and value.startswith("#")]
    assert {target[1:] for target in targets} <= set(ids)
    words = " ".join(reader.text)
    for expected in (
        "91.22 %",
        "hwsim run <model> --set array.rows=16",
        "multiply + add",
        "bits_per_cycle",
        "0.1610 mm²",
    ):
        assert expected in words


def test_nothing_is_loaded_from_outside(text):
    reader = read(text)
    loads = {"src", "href", "xlink:href", "action", "srcset", "data", "poster"}
    assert all(value.startswith(("#", "data:,")) for _, name, value in reader.attributes if name in loads)
    assert not re.search(r"@import|url\((?!#)", text)
    assert not {"script", "iframe", "object", "embed", "img"} & {
        tag for tag, name, _ in reader.attributes if name == "src"
    }
    assert "default-src 'none'" in text


def test_every_name_and_note_is_escaped(text):
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "an illustrative &lt;note&gt; [red]" in text
    assert "a <b>" not in text
    assert "\x1b" not in text
    assert read(text).tags.count("script") == 1


def test_figures_follow_light_and_dark(text):
    svgs = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert all("var(--ink)" in svg and "#ffffff" not in svg and "#1b1f24" not in svg for svg in svgs)
    assert "prefers-color-scheme: dark" in text


def test_layer_table_sorts_by_numbers(result):
    grid = layer_grid(result)
    place = [head.title for head in grid.heads].index("SQNR dB")
    assert grid.heads[place].number
    keys = [row[place].value for row in grid.rows]
    assert keys[2] == "Infinity"
    assert keys[4] == ""
    assert float(keys[0]) == result.layers["sqnr_db"][0]
    assert sort_key(float("-inf")) == "-Infinity"


def test_a_cost_only_page_without_a_machine_says_what_is_missing(synthetic):
    text = page(synthetic.result_of(5, numbers=False, notes=()))
    words = " ".join(read(text).text)
    assert "No SQNR: the run had no inputs" in words
    assert "No machine was given to the report" in words
    assert "SQNR dB" not in words
    assert "Notes" not in words


def test_a_large_network(large, machine, tmp_path):
    path = write_html(large, machine, tmp_path)
    assert path.stat().st_size < 1_500_000
    assert read(path.read_text("utf-8")).tags.count("tr") > 150


def test_a_bare_manifest_is_enough(result):
    text = page(replace(result, manifest={}))
    assert "<title>hwsim report</title>" in text
    read(text)


def test_the_same_result_gives_the_same_page(result, machine, text):
    assert page(result, machine) == text


def test_the_layer_table_shows_why_the_array_waits_and_what_stays_on_chip(result):
    grid = layer_grid(result)
    heads = [head.title for head in grid.heads]
    assert [title for title in heads if title.startswith("for ")] == ["for ifmap", "for weight"]  # no column of zeros
    at = {title: heads.index(title) for title in ("stalled", "for ifmap", "for weight", "on chip")}
    rows = list(grid.rows)
    assert rows[1][at["on chip"]].text == "reads <x>; writes y"
    for row, stalled in zip(rows, result.layers["stall_cycles"], strict=True):
        assert sum(int(row[at[f"for {cause}"]].value) for cause in ("ifmap", "weight")) == stalled
    assert "reads &lt;x&gt;; writes y" in page(result)
