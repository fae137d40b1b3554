"""Allocations of a network that is priced exhaustively."""

from functools import cache

import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.quantization.allocate.allocator import Allocator
from hwsim.quantization.allocate.costs import Pricer, cost_of
from tests.quantization.allocate.small import assignments, measured, variants

CASES = [
    ("edge_16x16", "energy"), ("bitfusion_like_16x32", "energy"), ("bitfusion_like_16x32", "cycles"), ("edge_16x16", "weights"),
]  # fmt: skip


@cache
def problem(preset, cost, widths=(2, 4, 8), activations=()):
    found = variants()
    bits = {"weights": widths} | ({"activations": activations} if activations else {})
    choices = found.choices(bits)
    pricer = Pricer(found, hwsim.accelerator(preset), cost_of(cost))
    return Allocator(choices, measured("kl", found, choices), pricer)


@cache
def priced(preset, cost):
    found = problem(preset, cost)
    choices, pricer = found.choices, found.pricer
    return [(pricer.price(choices.knobs, bits), found.sensitivity.total(bits)) for bits in assignments(choices)]


def budgets(preset, cost, count=9):
    prices = [price for price, _ in priced(preset, cost)]
    low, high = min(prices), max(prices)
    return [low + (high - low) * i / (count - 1) for i in range(count)]


@pytest.mark.parametrize(("preset", "cost"), CASES)
def test_never_beats_the_exhaustive_optimum_and_keeps_the_budget(preset, cost):
    found = problem(preset, cost)
    for budget in budgets(preset, cost):
        best = min(value for price, value in priced(preset, cost) if price <= budget)
        mixed = found.within_cost(budget)
        assert (mixed.price, mixed.sensitivity) in priced(preset, cost)
        assert mixed.price <= budget
        assert best <= mixed.sensitivity <= 1.02 * best


def test_is_the_optimum_where_prices_add_up():
    found = problem("edge_16x16", "weights")
    for budget in budgets("edge_16x16", "weights", 40):
        mixed = found.within_cost(budget)
        assert mixed.sensitivity == min(value for price, value in priced("edge_16x16", "weights") if price <= budget)
        assert mixed.predicted == pytest.approx(mixed.price)
        assert mixed.gap == 0


@pytest.mark.parametrize(("preset", "cost"), CASES)
def test_more_budget_is_never_worse_and_both_directions_agree(preset, cost):
    found = problem(preset, cost)
    mixed = [found.within_cost(budget) for budget in budgets(preset, cost, 15)]
    values = [one.sensitivity for one in mixed]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]
    for one in mixed:
        dual = found.within_sensitivity(one.sensitivity)
        assert dual.price <= one.price
        assert dual.sensitivity <= one.sensitivity


@pytest.mark.parametrize(("preset", "cost"), [*CASES, ("edge_16x16", "area")])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_no_uniform_network_is_better(preset, cost, bits):
    found = problem(preset, cost)
    uniform = found.uniform({"weights": bits, "activations": 8})
    assert set(uniform.bits) == {bits}
    assert found.within_cost(uniform.price).sensitivity <= uniform.sensitivity
    assert found.within_sensitivity(uniform.sensitivity).price <= uniform.price


def test_area_is_decided_by_the_widest_layer():
    found = problem("edge_16x16", "area")
    prices = {bits: found.uniform({"weights": bits, "activations": 8}).price for bits in (2, 4, 8)}
    assert prices[2] < prices[4] < prices[8]
    between = (prices[4] + prices[8]) / 2
    best = min(value for price, value in priced("edge_16x16", "area") if price <= between)
    assert found.within_cost(between).sensitivity == best
    assert max(found.within_cost(between).bits) == 4


def test_results_have_widths_too():
    found = problem("bitfusion_like_16x32", "energy", (4, 8), (4, 8))
    uniform = found.uniform({"weights": 4, "activations": 4})
    mixed = found.within_cost(uniform.price * 1.1)
    assert mixed.price <= uniform.price * 1.1
    assert mixed.sensitivity < uniform.sensitivity


def test_what_cannot_be_kept_is_named():
    found = problem("edge_16x16", "weights")
    with pytest.raises(HwsimError, match=r"no allocation keeps the budget of 1 bytes; the least found is \d+"):
        found.within_cost(1)
    with pytest.raises(HwsimError, match=r"no allocation has a sensitivity of at most 0; the least is \d"):
        found.within_sensitivity(0)
