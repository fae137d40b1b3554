"""The front against brute force, and the gap that a thinned one guarantees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.solve import pareto_front
from tests.quantization.allocate.small import assignments, table


@st.composite
def problems(draw, most: int = 30):
    layers = draw(st.integers(1, 4))
    options = [draw(st.integers(1, 3)) for _ in range(layers)]
    rows = [draw(st.lists(st.integers(0, most), min_size=n, max_size=n)) for n in options]
    prices = [draw(st.lists(st.integers(-most, most), min_size=n, max_size=n)) for n in options]
    return table(rows), table(prices, base=draw(st.integers(-5, 100)))


def by_hand(sensitivity, cost):
    return [(cost.total(bits), sensitivity.total(bits)) for bits in assignments(cost.choices)]


@settings(deadline=None)
@given(problems(), st.integers(-100, 250))
def test_least_sensitivity_within_a_budget(problem, budget):
    sensitivity, cost = problem
    front = pareto_front(sensitivity, cost)
    affordable = [value for price, value in by_hand(*problem) if price <= budget]
    found = front.within_cost(budget)
    assert front.gap == 0
    if not affordable:
        assert found is None
        return
    bits = front.assignment(found)
    assert sensitivity.total(bits) == front.sensitivities[found] == min(affordable)
    assert cost.total(bits) == front.costs[found] <= budget


@settings(deadline=None)
@given(problems(), st.integers(0, 150))
def test_least_cost_within_a_sensitivity(problem, bound):
    sensitivity, cost = problem
    front = pareto_front(sensitivity, cost)
    enough = [price for price, value in by_hand(*problem) if value <= bound]
    found = front.within_sensitivity(bound)
    if not enough:
        assert found is None
        return
    assert front.costs[found] == min(enough)
    assert sensitivity.total(front.assignment(found)) <= bound


@settings(deadline=None)
@given(problems())
def test_front_is_every_best_compromise_and_nothing_else(problem):
    points = set(by_hand(*problem))
    best = {
        (price, value)
        for price, value in points
        if not any(p <= price and v <= value and (p, v) != (price, value) for p, v in points)
    }
    front = pareto_front(*problem)
    assert set(zip(front.costs, front.sensitivities, strict=True)) == best
    assert (np.diff(front.costs) > 0).all()
    assert (np.diff(front.sensitivities) < 0).all()


@settings(deadline=None)
@given(problems(most=10_000), st.integers(2, 12), st.integers(-20_000, 50_000))
def test_thinned_front_keeps_its_gap(problem, most_points, budget):
    sensitivity, cost = problem
    front = pareto_front(sensitivity, cost, most_points)
    assert len(front.costs) <= most_points
    exact = pareto_front(sensitivity, cost)
    found, best = front.within_cost(budget), exact.within_cost(budget)
    assert (found is None) == (best is None)
    if found is not None:
        assert front.costs[found] <= budget
        assert front.sensitivities[found] <= exact.sensitivities[best] * (1 + front.gap) * (1 + 1e-12)


def test_thinning_states_a_gap():
    random = np.random.default_rng(1)
    rows = random.random((12, 5))
    sensitivity, cost = table(np.sort(rows)[:, ::-1]), table(np.sort(random.random((12, 5))))
    exact, thinned = pareto_front(sensitivity, cost), pareto_front(sensitivity, cost, 50)
    assert len(exact.costs) > 50 >= len(thinned.costs)
    assert thinned.gap > 0 == exact.gap
    later = exact.thinned(50)
    assert len(later.costs) <= 50
    assert 0 < later.gap < thinned.gap  # thinned once, not after every knob
    assert later.assignment(0) == exact.assignment(0)


@pytest.mark.parametrize(
    ("sensitivity", "cost", "message"),
    [
        ([[1, -1]], [[1, 1]], "allocate: layer0 weights: sensitivities must be finite and not negative, not (1, -1)"),
        ([[1, 1]], [[1, float("inf")]], "allocate: layer0 weights: costs must be finite, not (1, inf)"),
        ([[1, 1]], [[1, 1, 1]], "allocate: sensitivities and costs are of different knobs or widths"),
    ],
)
def test_refused(sensitivity, cost, message):
    with pytest.raises(HwsimError) as caught:
        pareto_front(table(sensitivity), table(cost))
    assert str(caught.value) == message
