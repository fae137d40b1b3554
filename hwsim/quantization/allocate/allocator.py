"""Any budget of one network, machine, sensitivity and cost, from the same candidates.

Sensitivities are summed over layers; prices are not quite: a multiplier built for the widest layer leaks in all of them. So the
exact front of the sums is found under several caps, each time around the network with every knob at the cap. The points of
all fronts, the uniform networks and the least sensitive ones under each cap are the candidates: the first in the order of sensitivity whose *true* price, that of the
whole network, keeps the budget is the answer. Where prices are separable it is the optimum. A larger budget never gives a
larger sensitivity, because the candidates are the same for every budget.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.costs import INFEASIBLE, Pricer, separable
from hwsim.quantization.allocate.knobs import KEYS, Assignment, Key
from hwsim.quantization.allocate.solve import pareto_front
from hwsim.quantization.allocate.widths import Choices, WidthTable

MARGIN = 0.05  # by which a prediction may exceed the budget before its true price is no longer asked for
MOST_CANDIDATES = 1000  # of one front: each may have to be priced


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Widths, and what they are worth.

    Args:
        choices: knobs and widths.
        bits: of every knob.
        sensitivity: summed over knobs.
        price: of the whole network.
        predicted: what the knobs' own prices add up to, around the tightest cap above.
        gap: no candidate plan of at most this predicted price has less than sensitivity / (1 + gap); 0 is exact.
    """

    choices: Choices
    bits: Assignment
    sensitivity: float
    price: float
    predicted: float
    gap: float = 0.0


class Allocator:
    """The candidates, and the price of those that were asked for.

    Args:
        choices: knobs and widths, all of which the machine takes.
        sensitivity: of them.
        pricer: the network's true price.
        most_candidates: of a front; beyond, it is thinned, and ``gap`` says what that may cost.
    """

    def __init__(
        self, choices: Choices, sensitivity: WidthTable, pricer: Pricer, *, most_candidates: int = MOST_CANDIDATES
    ) -> None:
        self.choices = choices
        self.sensitivity = sensitivity
        self.pricer = pricer
        self.gap = 0.0
        uniform = [choices.nearest(dict(zip(KEYS, pair, strict=True))) for pair in product(*_tops(choices))]
        self._always = frozenset([*uniform, *(sensitivity.least(choices.under(cap)) for cap in uniform)])
        predictions: dict[Assignment, float] = {}
        for cap in _caps(pricer, choices):  # the tightest first: its prediction of what it contains stays
            under = choices.under(cap)
            table = separable(pricer, under)
            front = pareto_front(sensitivity.only(under), table).thinned(most_candidates)
            self.gap = max(self.gap, front.gap)
            inside = [bits for bits in self._always if all(b <= most for b, most in zip(bits, cap, strict=True))]
            for bits in (*(front.assignment(i) for i in range(len(front.costs))), *inside):
                predictions.setdefault(bits, table.total(bits))
        self.table = table  # of the widest cap, which is the last: around the network with every knob at its widest
        scored = sorted((sensitivity.total(bits), predicted, bits) for bits, predicted in predictions.items())
        self.candidates = tuple(self._allocation(*one) for one in scored)

    def within_cost(self, budget: float) -> Allocation:
        """Return the candidate of least sensitivity whose true price is at most ``budget``.

        Raises:
            HwsimError: none is; the least price is stated.
        """
        for one in self.candidates:
            if one.bits not in self._always and one.predicted > budget * (1 + MARGIN):
                continue
            priced = self._priced(one)
            if priced.price <= budget:
                return priced
        least = self.within_sensitivity(float("inf"))
        raise HwsimError(
            f"allocate: no allocation keeps the budget of {budget:.6g} {self.pricer.cost.unit}; the least found is "
            f"{least.price:.6g}: raise the budget, or allow narrower widths"
        )

    def within_sensitivity(self, bound: float) -> Allocation:
        """Return the candidate of least true price whose sensitivity is at most ``bound``.

        Raises:
            HwsimError: none is; the least sensitivity is stated.
        """
        within = [one for one in self.candidates if one.sensitivity <= bound]
        best: Allocation | None = None
        for one in sorted(within, key=lambda one: (one.predicted, one.sensitivity, one.bits)):
            if one.bits not in self._always and best is not None and one.predicted > best.price * (1 + MARGIN):
                continue
            priced = self._priced(one)
            if priced.price < (INFEASIBLE if best is None else best.price):
                best = priced
        if best is None:
            raise HwsimError(
                f"allocate: no allocation has a sensitivity of at most {bound:.6g}; the least is "
                f"{self.candidates[0].sensitivity:.6g}: raise the bound, or allow wider widths"
            )
        return best

    def uniform(self, bits: dict[Key, int]) -> Allocation:
        """Return the allocation with every knob at its widest width of at most ``bits[key]``."""
        found = self.choices.nearest(bits)
        return next(self._priced(one) for one in self.candidates if one.bits == found)

    def best_uniform(self, budget: float) -> Allocation | None:
        """Return the least sensitive network of one width per key whose true price is at most ``budget``; None if none is."""
        found = {self.choices.nearest(dict(zip(KEYS, pair, strict=True))) for pair in product(*_tops(self.choices))}
        priced = [self._priced(one) for one in self.candidates if one.bits in found]
        return next((one for one in priced if one.price <= budget), None)

    def of(self, bits: Assignment) -> Allocation:
        """Return an assignment with its true price; predicted around the widest network."""
        return self._priced(self._allocation(self.sensitivity.total(bits), self.table.total(bits), bits))

    def _allocation(self, value: float, predicted: float, bits: Assignment) -> Allocation:
        return Allocation(
            choices=self.choices,
            bits=bits,
            sensitivity=value,
            price=float("nan"),
            predicted=predicted,
            gap=self.gap,
        )

    def _priced(self, one: Allocation) -> Allocation:
        return replace(one, price=self.pricer.price_or_inf(self.choices.knobs, one.bits))


def _tops(choices: Choices) -> list[tuple[int, ...]]:
    """Return the widths of every key, ascending; (0,) of a key without knobs."""
    return [choices.of_key(key) or (0,) for key in KEYS]


def _caps(pricer: Pricer, choices: Choices) -> list[Assignment]:
    """Return uniform assignments in ascending order, the widest last.

    One per width of the key that has most, the other key at the same place of its own widths. Those that the machine refuses
    are left out. The widest alone, where the price is decided by the widest layer: no sum says anything then, and the
    least sensitive network under a cap is the answer.
    """
    weights, activations = _tops(choices)
    count = max(len(weights), len(activations)) if pricer.cost.adds_up else 1
    places = [i / (count - 1) for i in range(count - 1)] if count > 1 else []
    found = [
        choices.nearest({"weights": _at(weights, place), "activations": _at(activations, place)})
        for place in (*places, 1.0)
    ]
    return [bits for bits in dict.fromkeys(found) if pricer.price_or_inf(choices.knobs, bits) < INFEASIBLE]


def _at(widths: tuple[int, ...], place: float) -> int:
    return widths[round(place * (len(widths) - 1))]
