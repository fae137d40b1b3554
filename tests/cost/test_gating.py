"""Zero gating moves products to rows that cost nothing, and leaves the rest alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.energy import component_of, compute_pj
from hwsim.cost.gating import gated, zero_share
from hwsim.cost.ledger import Compute, Cycles, LayerCost
from hwsim.energy import load_table
from tests.cost.machines import machine

TABLE = load_table("generic_45nm")
PLAIN = Compute(unit="array", action="multiply_add", count=1000, a_bits=8, b_bits=8, sum_bits=24)
REGISTER = Compute(unit="array_register", action="psum", count=1000, a_bits=24)


def cost(*rows):
    return LayerCost(compute=rows, cycles=Cycles(compute=10), macs=1000)


def energy(ledger):
    return sum(compute_pj(row, TABLE) for row in ledger.compute)


@given(st.floats(0, 1))
def test_energy_falls_with_the_share_and_no_product_is_lost(share):
    found = gated(cost(PLAIN, REGISTER), share)
    stopped = round(1000 * share)
    assert sum(row.count for row in found.compute if row.unit in ("array", "array_gated")) == 1000
    expected = (1000 - stopped) * TABLE.mac_pj(8, 8, 24) + 1000 * TABLE.register_write_pj(24)
    assert energy(found) == pytest.approx(expected)
    assert {component_of(row)[0] for row in found.compute} == {"mac", "array_registers"}
    assert (found.cycles, found.macs) == (Cycles(compute=10), 1000)


def test_nothing_gated_is_the_ledger_itself():
    ledger = cost(PLAIN, REGISTER)
    assert gated(ledger, 0.0) is ledger


def test_a_sum_of_several_lanes_is_not_gated():
    lanes = [
        Compute(unit="array", action="fixed:4", count=1000, a_bits=8, b_bits=8),
        Compute(unit="array_sum", action="fixed:4", count=250, a_bits=24),
    ]
    one = [
        Compute(unit="array", action="packed:8:n", count=1000, a_bits=8, b_bits=8),
        Compute(unit="array_sum", action="packed:8:n", count=1000, a_bits=24),
    ]
    assert [row.count for row in gated(cost(*lanes), 0.5).compute] == [500, 500, 250]
    assert [row.count for row in gated(cost(*one), 0.5).compute] == [500, 500, 500, 500]


@pytest.mark.parametrize(
    ("gating", "assumed", "counted", "share"),
    [
        ("none", 0.0, None, 0.0), ("none", 0.0, (1, 4), 0.0), ("both", 0.0, None, 0.0), ("activation", 0.3, None, 0.3),
        ("activation", 0.3, (1, 4), 0.75), ("weight", 0.3, (0, 0), 0.3), ("both", 0.3, (4, 4), 0.0),
    ],
)  # fmt: skip
def test_an_executed_share_wins_over_the_assumed_one(gating, assumed, counted, share):
    datapath = machine(datapath={"zero_gating": gating, "zero_share": assumed}).datapath
    assert zero_share(datapath, counted) == share
