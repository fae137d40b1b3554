"""The files and the figure of a diagnosis."""

import csv
import json

import numpy as np
import pytest

from hwsim.quantization.diagnose import ChannelRanges, Diagnosis, Finding
from hwsim.reporting.diagnosis import write_diagnosis
from hwsim.reporting.figures import NothingToDraw, figure, to_svg
from hwsim.tables import Table


def ranges(channels, *, grid=True):
    low, high = -np.arange(1.0, channels + 1), np.arange(1.0, channels + 1) / 2
    ends = (np.full(channels, -9.0), np.full(channels, 9.0)) if grid else (None, None)
    return ChannelRanges(
        layer="conv_$1", kind="weights", low=low, high=high, grid_low=ends[0], grid_high=ends[1], format="int4"
    )


@pytest.mark.parametrize(("channels", "grid"), [(1, True), (3, False), (400, True)])
def test_the_figure_draws_every_channel_the_same_way_each_time(channels, grid):
    draw = figure("channel_ranges").draw
    drawn = draw(ranges(channels, grid=grid))
    bars = drawn.axes[0].patches[:channels]
    assert [bar.get_y() for bar in bars] == ranges(channels).low.tolist()
    assert [bar.get_height() for bar in bars] == (ranges(channels).high - ranges(channels).low).tolist()
    assert to_svg(drawn, "one") == to_svg(draw(ranges(channels, grid=grid)), "one")


def test_no_channels_is_nothing_to_draw():
    with pytest.raises(NothingToDraw, match="has no channels"):
        figure("channel_ranges").draw(ranges(0))


@pytest.mark.parametrize("grid", [True, False])
def test_files_hold_what_was_found(tmp_path, grid):
    halves = Table.of(("quantized", "metric", "sqnr_db", "max_error"), [("float", None, np.inf, 0.0)])
    quantizers = Table.of(("layer", "gain_db"), [("conv", 1.5)])
    finding = Finding(text="the weights are to blame", advice=("AdaRound",))
    found = Diagnosis(halves=halves, quantizers=quantizers, culprit=ranges(3, grid=grid), findings=(finding,))
    names = [path.name for path in write_diagnosis(found, tmp_path)]
    assert names == ["halves.csv", "quantizers.csv", "channels.csv", "findings.json", "channel_ranges.svg"]
    with (tmp_path / "channels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["low"]) for row in rows] == [-1.0, -2.0, -3.0]
    assert {row["grid_high"] for row in rows} == ({"9.0"} if grid else {""})
    assert json.loads((tmp_path / "findings.json").read_text())["findings"] == [
        {"text": "the weights are to blame", "advice": ["AdaRound"]}
    ]
