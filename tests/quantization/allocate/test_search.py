"""A search is never worse than where it starts, keeps the budget, and finds what sums do not see."""

import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.search import narrowed, search
from tests.quantization.allocate.small import assignments
from tests.quantization.allocate.test_allocator import problem

pytest.importorskip("optuna", reason='searches: pip install "hwsim[search]"')

FOUND = problem("bitfusion_like_16x32", "energy")
CHOICES = FOUND.choices
START = FOUND.uniform({"weights": 2, "activations": 8})
BUDGET = FOUND.uniform({"weights": 4, "activations": 8}).price


def joint(bits):
    """A loss that no sum over layers tells: the first and the last layer must differ, the others agree."""
    return abs(abs(bits[0] - bits[3]) - 4) + abs(bits[1] - bits[2]) + 1 / sum(bits)


def test_never_worse_than_the_start_and_within_the_budget():
    within = narrowed(FOUND, BUDGET)
    bits, value = search(joint, within, CHOICES, [START.bits], trials=40, seed=3)
    best = min(joint(one) for one in assignments(CHOICES) if FOUND.pricer.price(CHOICES.knobs, one) <= BUDGET)
    assert FOUND.pricer.price(CHOICES.knobs, bits) <= BUDGET
    assert best <= value == joint(bits) < joint(START.bits)
    assert (bits, value) == search(joint, within, CHOICES, [START.bits], trials=40, seed=3)


def test_without_trials_the_start_stays():
    assert search(joint, narrowed(FOUND, BUDGET), CHOICES, [START.bits], trials=0, seed=0) == (START.bits, joint(START.bits))  # fmt: skip


def test_narrowing_gives_up_the_least_and_stops_at_the_budget():
    within = narrowed(FOUND, BUDGET)
    assert within(START.bits) == START.bits
    kept = within(CHOICES.widest)
    assert FOUND.pricer.price(CHOICES.knobs, kept) <= BUDGET
    assert FOUND.sensitivity.total(kept) <= START.sensitivity
    assert narrowed(FOUND, 1.0)(CHOICES.widest) is None


def test_no_start():
    with pytest.raises(HwsimError, match="needs an allocation to start from"):
        search(joint, narrowed(FOUND, BUDGET), CHOICES, [], trials=1, seed=0)
