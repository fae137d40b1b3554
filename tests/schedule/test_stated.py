"""Stated mappings are used as they are, or refused with layer, rule, value and way out."""

import re

import pytest

import hwsim
from hwsim.errors import MappingError
from hwsim.mapping.stated import MappingRule, StatedPlan
from hwsim.mapping.stated_file import stated_of
from hwsim.schedule import OBJECTIVES, Options, schedule
from hwsim.schedule.stated import stated_choice
from tests.cost.machines import gemm, machine

CONV = "block1.conv1"  # 64 outputs of 9 taps


@pytest.fixture(scope="module")
def graph():
    return hwsim.quantize(hwsim.load("digits_resnet"))


def edge(*overrides):
    return hwsim.accelerator("edge_16x16", overrides=overrides)


def stated(match=CONV, tile=(8, 27, 12), **keys):
    rule = MappingRule(match=match, tile=dict(zip("mkn", tile, strict=True)), **keys)
    return Options(stated=StatedPlan(layer=(rule,)))


def test_a_stated_layer_is_cut_as_stated_and_the_others_are_chosen(graph):
    free = schedule(graph, edge(), Options(residency=False)).mappings
    options = stated(order="nmk")
    plan = schedule(graph, edge(), Options(stated=options.stated, residency=False))
    mapping = plan.mappings[CONV]
    assert (mapping.tile_m, mapping.tile_k, mapping.tile_n, mapping.order) == (8, 27, 12, "nmk")
    assert {name: plan.mappings[name] for name in free if name != CONV} == {
        name: free[name] for name in free if name != CONV
    }
    result = hwsim.simulate(graph, edge(), scheduling=options)
    rows = {row["layer"]: row for row in result.layers.rows()}
    assert rows[CONV]["tile"] == "8x27x12 nmk"
    assert result.plan.mappings[CONV].tile_m == 8


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("residency", [True, False])
def test_what_was_chosen_can_be_stated_and_costs_the_same(graph, objective, residency):
    chosen = schedule(graph, edge(), Options(objective=objective, residency=residency, prefetch=residency))
    again = schedule(graph, edge(), Options(stated=stated_of(chosen)))
    assert (again.mappings, again.resident, again.prefetch) == (chosen.mappings, chosen.resident, chosen.prefetch)


@pytest.mark.parametrize(
    ("options", "overrides", "message"),
    [
        (
            stated(tile=(65, "all", 12)), (),
            f"layer {CONV!r}: mapping: tile_m must be 1..64, not 65 (stated for {CONV!r})",
        ),
        (
            stated("block1.*", tile=(8, 28, 12)), (),
            "layer 'block1.conv1': mapping: tile_k=28 must be a multiple of the 9 kernel taps (stated for 'block1.*')",
        ),
        (
            stated(blocks=[{"level": 2, "m": "all", "n": "all"}]), (),
            f"layer {CONV!r}: mapping: edge_16x16 has memories of level 1 only, so there is no block of level 2 "
            f"(stated for {CONV!r})",
        ),
        (
            stated(tile=(8, 27, 12)), ("memory.weights.size_bytes=640",),
            f"layer {CONV!r}: mapping: a tile of 8 x 27 x 12 (m x k x n) does not fit edge_16x16: memory 'weights' has "
            f"640 bytes and needs 864; state a smaller tile, or enlarge the memory: --set memory.weights.size_bytes=864 "
            f"(stated for {CONV!r})",
        ),
    ],
)  # fmt: skip
def test_what_is_not_legal_says_layer_rule_value_and_way_out(graph, options, overrides, message):
    with pytest.raises(MappingError) as caught:
        schedule(graph, edge(*overrides), options)
    assert str(caught.value) == message


def test_the_suggested_size_is_enough(graph):
    schedule(graph, edge("memory.weights.size_bytes=864"), stated(tile=(8, 27, 12)))


def test_too_many_steps(monkeypatch):
    accelerator, rule = machine(), MappingRule(match="x", tile={"m": 1, "k": 1, "n": 1})
    with pytest.raises(MappingError, match=r"a tile of 1 x 1 x 1 \(m x k x n\) makes 270000 steps, more than 200000"):
        stated_choice(rule, gemm(900, 30, 10), accelerator, accelerator.datapath)


def test_activations_that_are_said_to_stay_leave_less_room(graph):
    rule = MappingRule(match=CONV, tile={"m": "all", "k": "all", "n": "all"})
    plan = StatedPlan(layer=(rule,), resident=("stem.relu",))
    chosen = schedule(graph, edge(), Options(stated=plan))
    assert chosen.resident == {"stem.relu"}
    assert chosen.mappings[CONV].ifmap_on_chip
    kept = graph.tensors["stem.relu"].size
    with pytest.raises(
        MappingError, match=rf"memory 'ofmap' has 1600 bytes and needs \d+, {kept} of them for"
    ) as caught:
        schedule(graph, edge("memory.ofmap.size_bytes=1600"), Options(stated=plan))
    least = int(re.search(r"needs (\d+)", str(caught.value))[1])
    schedule(graph, edge(f"memory.ofmap.size_bytes={least}"), Options(stated=plan))
    assert least > kept
    alone = StatedPlan(layer=(rule,), resident=())
    schedule(graph, edge(f"memory.ofmap.size_bytes={least - kept}"), Options(stated=alone))
    with pytest.raises(MappingError, match=f"has {least - 1} bytes and needs {least}"):
        schedule(graph, edge(f"memory.ofmap.size_bytes={least - 1}"), Options(stated=plan))


def test_names_that_the_network_does_not_have(graph):
    with pytest.raises(MappingError, match=r"no array layer matches 'nothing'; the network has 'stem.conv', "):
        schedule(graph, edge(), stated("nothing"))
    with pytest.raises(
        MappingError, match=r"resident: 'stem.rel' is no activation between layers; did you mean 'stem.relu'\?"
    ):
        schedule(graph, edge(), Options(stated=StatedPlan(resident=("stem.rel",))))


def test_what_stays_must_fit_while_the_vector_unit_runs_too(graph):
    tensors = schedule(graph, edge(), Options()).resident
    with pytest.raises(MappingError, match=r"memory 'ofmap' has 1700 bytes and activations that stay on chip need \d+"):
        schedule(graph, edge("memory.ofmap.size_bytes=1700"), Options(stated=StatedPlan(resident=tuple(tensors))))


def test_a_plan_cannot_ask_for_what_is_switched_off():
    with pytest.raises(MappingError, match="resident asks for residency, which is switched off"):
        Options(residency=False, stated=StatedPlan(resident=("a",)))
    with pytest.raises(MappingError, match="prefetch asks for prefetch, which is switched off"):
        Options(prefetch=False, stated=StatedPlan(prefetch=True))
    Options(residency=False, prefetch=False, stated=StatedPlan(resident=(), prefetch=False))
