"""MixQuant's rule, by hand."""

from itertools import pairwise

import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.allocate import QemRule
from hwsim.quantization.allocate.qem import within_multiple
from tests.quantization.allocate.small import state, table, variants


def test_narrowest_width_within_the_multiple():
    errors = table([[80, 9, 1], [30, 3, 1], [0, 0, 0]])
    assert within_multiple(errors, 1) == (4, 4, 2)
    assert within_multiple(errors, 9) == (3, 3, 2)
    assert within_multiple(errors, 30) == (3, 2, 2)


def test_step_narrows_with_the_multiple():
    layers = [knob.layer for knob in variants().choices({"weights": (8,)}).knobs]
    plans = [QemRule(multiple=multiple)(state()).scheme.plan for multiple in (1, 100, 1e4, 1e9)]
    widths = [[plan.for_layer(layer).weights.bits for layer in layers] for plan in plans]
    assert widths[0] == [8, 8, 8, 8]
    assert widths[-1] == [2, 2, 2, 2]
    assert all(a >= b for wide, narrow in pairwise(widths) for a, b in zip(wide, narrow, strict=True))
    assert 2 < min(widths[1]) <= max(widths[1]) < 8


def test_multiple_below_one():
    with pytest.raises(HwsimError, match=r"multiplier must be at least 1, not 0\.5"):
        QemRule(multiple=0.5)
