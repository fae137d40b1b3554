"""The Add of schemes whose multipliers share one shift: an exact sum in 64 bits, then one requantization."""

from __future__ import annotations

from collections.abc import Callable

from hwsim.kernels.requantizers._work import Codes, Columns, Terms, shaped


def rescale_sum(terms: Terms, *, requantize: Callable[[Columns], Codes | None]) -> Codes | None:
    """Return codes of the tensors' shape and the two clip counts; None where the sum could leave 64 bits."""
    sums = terms.total()
    return None if sums is None else shaped(requantize(terms.column(sums)), sums.shape)
