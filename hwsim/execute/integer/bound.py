"""An operator as a call on arrays that stay the same: what is looked up, checked and allocated once for all runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hwsim.execute.integer.arithmetic import bound_forms
from hwsim.execute.integer.layer import Layer

Step = Callable[[], object]


def bound(layer: Layer, operands: list[np.ndarray], results: Sequence[np.ndarray | None]) -> Step:
    """Return a call that writes ``results`` for what ``operands`` hold by then; counters grow as in a run of the operator.

    Args:
        layer: that has run on arrays of these shapes and types.
        operands: codes, real values where there is no grid.
        results: likewise, where a run left them; None for those that lie in an operand.
    """
    operator, first = layer.memory["operator"], results[0]
    bind = bound_forms(layer.datapath.arithmetic).get(operator)
    if bind and first is not None:
        call = bind(layer, operands, first)
        if call is not None:
            return _counting(layer, call, size=first.size)

    def run() -> None:
        for place, found in zip(results, operator(layer, operands), strict=True):
            if place is not None:
                place[...] = found

    return run


def _counting(layer: Layer, call: Callable[[], tuple[int, int]], *, size: int) -> Step:
    """Return ``call``, whose results were clipped below and above, as one that counts them."""
    counters = layer.counters

    def run() -> None:
        below, above = call()
        counters.clipped += below + above
        counters.requantized += size

    return run
