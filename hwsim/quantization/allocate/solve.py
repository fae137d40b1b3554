"""The exact trade-off of two sums: one width per knob, least sensitivity for every cost (multiple-choice knapsack).

Knob by knob, every point of the front so far meets every width of the next knob, and what another point beats in both sums is
dropped (Nemhauser and Ullmann, "Discrete dynamic programming and capital allocation", Management Science 15(9), 1969). What is
left at the end is the whole Pareto front, so that any budget, and its dual, any bound on the sensitivity, is a look-up.

A front that grows beyond ``most_points`` is thinned: of points whose sensitivities lie within a factor 1 + d only the cheapest
stays. Sensitivities are not negative, so that sums of what stays are within the same factor, and the factors of all thinnings
multiply: that product, minus 1, is the guaranteed ``gap`` (Ibarra and Kim 1975 for the knapsack problem). It is 0 where
nothing was thinned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.knobs import Assignment
from hwsim.quantization.allocate.widths import Choices, WidthTable

MOST_POINTS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Front:
    """All best compromises of two sums over the knobs.

    Args:
        choices: knobs and widths.
        costs: ascending, float64 ``[points]``.
        sensitivities: descending, float64 ``[points]``.
        taken: index of every knob's width, ``[points, knobs]``.
        gap: no allocation of at most a point's cost has less than its sensitivity / (1 + gap).
    """

    choices: Choices
    costs: np.ndarray
    sensitivities: np.ndarray
    taken: np.ndarray
    gap: float = 0.0

    def assignment(self, i: int) -> Assignment:
        """Return the widths of a point."""
        return tuple(widths[j] for widths, j in zip(self.choices.bits, self.taken[i], strict=True))

    def within_cost(self, budget: float) -> int | None:
        """Return the index of the least sensitivity at a cost of at most ``budget``; None where every point costs more."""
        found = int(np.searchsorted(self.costs, budget, side="right")) - 1
        return found if found >= 0 else None

    def within_sensitivity(self, bound: float) -> int | None:
        """Return the index of the least cost at a sensitivity of at most ``bound``; None where every point has more."""
        enough = self.sensitivities <= bound
        return int(enough.argmax()) if enough.any() else None

    def thinned(self, most_points: int) -> Front:
        """Return at most ``most_points`` of the points, the wider gap stated."""
        keep, factor = _thin(self.sensitivities, most_points)
        return replace(
            self,
            costs=self.costs[keep],
            sensitivities=self.sensitivities[keep],
            taken=self.taken[keep],
            gap=(1 + self.gap) * factor - 1,
        )


def pareto_front(sensitivity: WidthTable, cost: WidthTable, most_points: int = MOST_POINTS) -> Front:
    """Return the front of total sensitivity against total cost.

    Args:
        sensitivity: not negative.
        cost: of the same knobs and widths; differences may be negative.
        most_points: beyond which a front is thinned.

    Raises:
        HwsimError: tables of different choices, a sensitivity that is negative or not finite, a cost that is no number.
    """
    choices = cost.choices
    if sensitivity.choices != choices:
        raise HwsimError("allocate: sensitivities and costs are of different knobs or widths")
    _check(sensitivity, cost)
    costs, values = np.array([cost.base]), np.array([sensitivity.base])
    taken = np.zeros((1, 0), np.uint8)
    factor = 1.0
    for cost_row, value_row in zip(cost.values, sensitivity.values, strict=True):
        options = len(cost_row)
        new_costs = (costs[:, None] + np.array(cost_row)).reshape(-1)
        new_values = (values[:, None] + np.array(value_row)).reshape(-1)
        keep = _undominated(new_costs, new_values)
        reached, widened = _thin(new_values[keep], most_points)
        keep, factor = keep[reached], factor * widened
        costs, values = new_costs[keep], new_values[keep]
        taken = np.column_stack([taken[keep // options], (keep % options).astype(np.uint8)])
    return Front(choices=choices, costs=costs, sensitivities=values, taken=taken, gap=factor - 1)


def _check(sensitivity: WidthTable, cost: WidthTable) -> None:
    for knob, values, costs in zip(cost.choices.knobs, sensitivity.values, cost.values, strict=True):
        if not all(np.isfinite(values)) or min(values) < 0:
            raise HwsimError(f"allocate: {knob}: sensitivities must be finite and not negative, not {values}")
        if not all(np.isfinite(costs)):
            raise HwsimError(f"allocate: {knob}: costs must be finite, not {costs}")


def _undominated(costs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the indices of the points that no other beats, in ascending order of cost; of equal points the first."""
    order = np.lexsort((values, costs))
    sorted_values = values[order]
    least_before = np.concatenate([[np.inf], np.minimum.accumulate(sorted_values)[:-1]])
    return order[sorted_values < least_before]


def _thin(values: np.ndarray, most_points: int) -> tuple[np.ndarray, float]:
    """Return which of the descending ``values`` stay, and the factor within which a kept one is of each.

    Buckets are powers of the factor; of each the first point, which is the cheapest, stays. Zero is a bucket of its own.
    """
    count = len(values)
    if count <= most_points:
        return np.arange(count), 1.0
    positive = values[values > 0]
    logarithms = np.log(positive)
    step = (logarithms[0] - logarithms[-1]) / max(most_points - 2, 1)
    buckets = np.floor((logarithms - logarithms[-1]) / step).astype(np.int64)
    first = np.concatenate([[True], buckets[1:] != buckets[:-1]])
    kept = np.flatnonzero(first)
    if len(positive) < count:
        kept = np.append(kept, len(positive))
    return kept, float(np.exp(step))
