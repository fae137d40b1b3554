"""Files of stated mappings load as what was written, and every problem of a file is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ConfigError, MappingError
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.mapping import Block, Mapping
from hwsim.mapping.plan import Plan
from hwsim.mapping.stated import MappingRule, StatedPlan
from hwsim.mapping.stated_file import dump_stated, load_stated, stated_of
from tests.cost.machines import gemm
from tests.cost.mapped import machines, mapped

NAMES = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12)


@st.composite
def plans(draw):
    machine = draw(machines())
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    mappings = {name: draw(mapped(machine)) for name in names}
    return Plan(mappings=mappings, resident=frozenset(draw(st.lists(NAMES, max_size=2))), prefetch=draw(st.booleans()))


@settings(deadline=None)
@given(plans())
def test_a_written_plan_loads_and_means_the_same_mappings(tmp_path_factory, plan):
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(dump_stated(stated_of(plan)), encoding="utf-8")
    stated = load_stated(path)
    assert stated == stated_of(plan)
    assert (frozenset(stated.resident), stated.prefetch) == (plan.resident, plan.prefetch)
    for name, mapping in plan.mappings.items():
        gemm, kept = mapping.gemm, {key: getattr(mapping, key) for key in ("ifmap_on_chip", "ofmap_on_chip")}
        whole = type(mapping)(
            gemm=gemm, array=mapping.array, mac=mapping.mac, tile_m=gemm.m, tile_k=gemm.k, tile_n=gemm.n, **kept
        )
        rule = stated.rule_of(name)
        assert rule.applied(whole) == mapping  # every name is matched by its own rule only


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["must state at least one [[layer]], resident or prefetch"]),
        ("prefetch = 1", ["prefetch must be true or false, not 1"]),
        (
            "[[layer]]\nmatch = 'a'\ntile = {m = 0, k = 'al', n = true}",
            [
                "layer[0].tile.m must be a positive integer or 'all', not 0",
                "layer[0].tile.k must be a positive integer or 'all', not 'al'",
                "layer[0].tile.n must be a positive integer or 'all', not True",
            ],
        ),
        (
            "[[layer]]\nmatch = 'a'\ntile = {m = 1, k = 1}\nodrer = 'mnk'",
            [
                "layer[0].tile.n is missing; it must be a positive integer or 'all'",
                "layer[0].odrer is not a known key; did you mean 'order'?",
            ],
        ),
        (
            "[[layer]]\nmatch = 'a'\ntile = {m = 1, k = 1, n = 1}\norder = 'mkn'\ngroups_together = 0",
            ["layer[0].order 'mkn' is unknown; did you mean 'nmk'?", "layer[0].groups_together must be a positive integer, not 0"],
        ),
    ],
)  # fmt: skip
def test_problems_of_a_file(tmp_path, text, problems):
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_stated(tmp_path / "p.toml")
    assert list(caught.value.problems) == problems


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_stated(tmp_path / "none.toml")


def test_all_is_the_whole_dimension_and_later_rules_win():
    tile = {"m": "all", "k": 4, "n": "all"}
    first = MappingRule(match="b*", tile=tile, blocks=[{"level": 2, "m": "all", "n": 3}], order="nmk")
    plan = StatedPlan(layer=(first, MappingRule(match="b2", tile={"m": 1, "k": 1, "n": 1})))
    assert plan.rule_of("a") is None
    assert plan.rule_of("b2").tile.m == 1
    work = gemm(5, 8, 3)
    array = SystolicArray(dataflow="weight_stationary", rows=4, columns=4)
    whole = Mapping(gemm=work, array=array, tile_m=5, tile_k=8, tile_n=3)
    found = plan.rule_of("b1").applied(whole)
    assert (found.tile_m, found.tile_k, found.tile_n, found.order) == (5, 4, 3, "nmk")
    assert found.blocks == (Block(level=2, m=5, n=3),)
    with pytest.raises(MappingError, match=r"tile_k must be 1\.\.3, not 4"):
        plan.rule_of("b1").applied(Mapping(gemm=gemm(5, 3, 3), array=array, tile_m=5, tile_k=3, tile_n=3))


def test_a_pattern_that_matches_nothing_is_named():
    plan = StatedPlan(layer=(MappingRule(match="conv*", tile={"m": 1, "k": 1, "n": 1}),))
    plan.check_names(["x", "conv1"])
    with pytest.raises(MappingError) as caught:
        plan.check_names([f"fc{i}" for i in range(8)])
    assert str(caught.value) == (
        "stated mappings: no array layer matches 'conv*'; the network has 'fc0', 'fc1', 'fc2', 'fc3', 'fc4', 'fc5' and 2 more"
    )
