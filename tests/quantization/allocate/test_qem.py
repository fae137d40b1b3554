"""MixQuant's rule, by hand."""

from itertools import pairwise

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.quantization import Scheme
from hwsim.quantization.allocate import QemRule
from hwsim.quantization.allocate.qem import least_uniform, within_multiple
from hwsim.quantization.set_grids import SetGrids
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


def test_the_best_uniform_network_of_no_more_bits():
    errors = table([[80, 9, 1], [30, 31, 3]])  # at 3 bits together 40, at 2 bits 110, at 4 bits 4
    assert least_uniform(errors, (4, 2), [10, 10]) == 40
    assert least_uniform(errors, (4, 2), [1, 10]) == 110
    assert least_uniform(errors, (4, 4), [1, 10]) == 4


def test_errors_are_those_of_the_grids_that_are_set():
    """By the keys of the recipe, where the user states none."""
    keys = {"range": "mse", "weight_granularity": "channel"}
    start = state(scheme=Scheme())
    found = QemRule(multiple=4, keys=keys)(start)
    plan = found.scheme.plan
    assert (plan.default.range, plan.default.weight_granularity) == ("mse", "channel")
    graph = SetGrids(keys=keys)(found).graph
    errors = 0.0
    for node in graph.nodes:
        if node.op in ("Conv", "Gemm"):
            weight = graph.tensors[node.inputs[1]]
            real = weight.data.astype(np.float64)
            errors += np.square(weight.quant.decode(weight.encoded()) - real).sum() / np.square(real).sum()
    assert found.losses["allocate.sensitivity"] == pytest.approx(errors, rel=1e-6)
    widths = {plan.for_layer(node.name).weights.bits for node in graph.nodes if node.op in ("Conv", "Gemm")}
    assert len(widths) > 1


def test_multiple_below_one():
    with pytest.raises(HwsimError, match=r"multiplier must be at least 1, not 0\.5"):
        QemRule(multiple=0.5)


def test_rules_of_the_user_win():
    plan = PrecisionPlan(layer=(PrecisionRule(match="logits", weights="int7"),))
    done = QemRule(multiple=1e9)(state(scheme=Scheme(plan=plan)))
    found = {name: done.scheme.plan.for_layer(name).weights.bits for name in ("stem.conv", "logits")}
    assert found == {"stem.conv": 2, "logits": 7}
    assert "allocate: the plan's rules state logits weights, which keep their widths" in done.notes
