"""Zero gating: products with a zero operand do not toggle, so that neither multiplier nor adder spends energy on them.

Time, registers and memories are as before. The zero detectors are not priced. Where several lanes share a partial sum its
adder is not gated: it would have to find all of them zero.
"""

from __future__ import annotations

from dataclasses import replace

from hwsim.cost.ledger import Compute, LayerCost
from hwsim.hardware.datapath import Datapath


def zero_share(datapath: Datapath, found: tuple[int, int] | None) -> float:
    """Return the share of a layer's products that is gated.

    Args:
        datapath: says whether anything is gated, and the share assumed where nothing is executed.
        found: (products that toggle, products computed) of an execution, or None.
    """
    if datapath.zero_gating == "none":
        return 0.0
    return 1 - found[0] / found[1] if found and found[1] else datapath.zero_share


def gated(cost: LayerCost, share: float) -> LayerCost:
    """Return the rows of a layer with ``share`` of its products as gated ones, which cost nothing.

    >>> row = Compute(unit="array", action="multiply_add", count=8, a_bits=8, b_bits=8, sum_bits=20)
    >>> [(r.unit, r.count) for r in gated(LayerCost(compute=(row,)), 0.25).compute]
    [('array', 6), ('array_gated', 2)]
    """
    if not share:
        return cost
    rows: list[Compute] = []
    products = next((row.count for row in cost.compute if row.unit == "array"), 0)
    for row in cost.compute:
        if row.unit == "array" or (row.unit == "array_sum" and row.count == products):
            stopped = round(row.count * share)
            rows += [replace(row, count=row.count - stopped), replace(row, unit="array_gated", count=stopped)]
        else:
            rows.append(row)
    return replace(cost, compute=tuple(rows))
