"""The optimistic pass over one tile of columns: sums without reductions, their extremes, and which of them are in doubt."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.ordered.picks import Terms
from hwsim.kernels.ordered.sweep import deposit, sweep_groups, sweep_products


@kernel
def prepare(start: Any, total: Any) -> None:
    """Put the start values of one row of a tile into its totals and their extremes."""
    total[:] = 0
    for j in range(len(start)):
        total[0, j] = start[j]
        total[1, j] = start[j]
        total[2, j] = start[j]


@kernel
def _is_hopeless(sums: Any, i: Any, inside: Any) -> Any:
    """Whether psum has overflowed in every lane, so that all of them are recounted whatever follows."""
    low, high = inside[0], inside[1]
    over = 0
    for j in range(sums.shape[2]):
        over += (sums[i, 1, j] > high) | (sums[i, 2, j] < low)
    return over == sums.shape[2]


@kernel
def sweep_tile(
    terms: Terms, pieces: Any, panels: Any, panel: Any, inside: Any, alive: Any, sums: Any, totals: Any
) -> None:
    """Sum the rows that are ``alive`` over one tile of columns; those that give up are alive no more."""
    in_groups = terms.ends.shape[1] > 0
    for p in range(len(pieces)):
        for i in range(len(alive)):
            if not alive[i]:
                continue
            first, last = terms.bounds[i, p], terms.bounds[i, p + 1]
            if in_groups:
                sweep_groups(terms.x, terms.picks, terms.ends, i, first, last, panels, panel, sums)
            else:
                sweep_products(terms.x, terms.picks, terms.ends, i, first, last, panels, panel, sums)
            if pieces[p, 1]:
                deposit(sums, i, totals)
            if pieces[p, 2]:
                alive[i] = not _is_hopeless(sums, i, inside)


@kernel
def is_in_doubt(partial: Any, total: Any, begin: Any, end: Any, inside: Any, behind: Any) -> Any:
    """Return whether psum or accumulator may have overflowed in any of the lanes ``begin .. end - 1``."""
    low, high, bottom, top = inside[0], inside[1], behind[0], behind[1]
    over = 0
    for j in range(begin, end):
        over += (partial[1, j] > high) | (partial[2, j] < low)
    for j in range(begin, end):
        over += (total[1, j] > top) | (total[2, j] < bottom)
    return over > 0


@kernel
def settle(partial: Any, total: Any, begin: Any, values: Any, peaks: Any) -> None:
    """Write the optimistic results of the lanes from ``begin`` on of one row of a tile."""
    for j in range(len(values)):
        values[j] = total[0, begin + j]
    for j in range(len(values)):
        inside = max(np.int64(partial[1, begin + j]), -np.int64(partial[2, begin + j]))
        peaks[j] = max(inside, max(np.int64(total[1, begin + j]), -np.int64(total[2, begin + j])))
