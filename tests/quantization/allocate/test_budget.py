"""Budgets in words."""

import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.budget import budget_of
from tests.quantization.allocate.test_allocator import problem

FOUND = problem("bitfusion_like_16x32", "energy")
BOTH = problem("bitfusion_like_16x32", "energy", (4, 8), (4, 8))


def price(found, bits):
    return found.pricer.price(found.choices.knobs, bits)


def test_numbers_shares_and_networks():
    assert budget_of(1234.5, FOUND) == budget_of("1234.5", FOUND) == 1234.5
    assert budget_of("50%", FOUND) == 0.5 * price(FOUND, (8, 8, 8, 8))
    assert budget_of("int4", FOUND) == price(FOUND, (4, 4, 4, 4))
    assert (
        price(FOUND, (2, 2, 2, 2)) < budget_of("int3", FOUND) < budget_of("int4", FOUND)
    )  # 3 is no choice, yet a budget
    assert budget_of("int4/uint4", BOTH) == BOTH.uniform({"weights": 4, "activations": 4}).price
    assert budget_of("int4", BOTH) == BOTH.uniform({"weights": 4, "activations": 8}).price


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (0, "a budget must be positive and finite, not 0"),
        ("nan", "a budget must be positive and finite, not nan"),
        ("0%", "a share must be positive, not '0%'"),
        ("cheap", "a budget is a number, a share such as 60%, or a network such as int4 or int4/uint6, not 'cheap'"),
        ("int4/uint8", "the budget 'int4/uint8' states activations, which are not allocated"),
    ],
)
def test_refused(text, message):
    with pytest.raises(HwsimError) as caught:
        budget_of(text, FOUND)
    assert str(caught.value) == f"allocate: {message}"
