"""The exponent of a grid of powers that fits weights (PowerQuant, NUPES; Yvinec et al., arXiv 2308.05600).

The papers minimise ``sum ||W - Q^-1(Q(W))||^2`` over the exponent alone, with the whole range of each row as its scale. Here
every exponent gets the scales that the plan's estimator finds for it (``mse``: exponent and clipping together), and the search
is over hundredths: coarse steps, then all hundredths next to the best. Exponents 1 and 1/2, which need no table, are always
among the candidates and win ties, so that the result is never worse than uniform codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hwsim.errors import HwsimError
from hwsim.numerics.formats import Codebook, LearnedTable, power_exponent
from hwsim.quantization.tables.rows import Rows, sampled
from hwsim.quantization.tables.scales import row_scales, total_error

COARSE = range(30, 131, 5)  # hundredths
FINE = 4
SAMPLE = 1 << 14  # weights of a layer that the search looks at; the last comparison looks at all

Tensors = Sequence[Sequence[Rows]]


def fit_exponent(tensors: Tensors, table: LearnedTable, estimator: str, *, power_of_two: bool) -> Codebook:
    """Return the grid of powers with the least squared error on all tensors together.

    Args:
        tensors: the rows of each weight, one for an exponent of its own, or of a whole network.
        table: bits, decode bits and rounding.
        estimator: of the scales, ``minmax`` or ``mse``.
        power_of_two: of the scales.
    """
    samples = [sampled(parts, SAMPLE) for parts in tensors]
    tried: dict[int, float] = {}

    def best(hundredths: Sequence[int]) -> int:
        for each in hundredths:
            if each not in tried:
                book = powers(table, each)
                tried[each] = float("inf") if book is None else _error(samples, book, estimator, power_of_two)
        return min(tried, key=lambda each: tried[each])

    middle = best(COARSE)
    found = best(range(middle - FINE, middle + FINE + 1))
    books = [book for each in (100, 50, found) if (book := powers(table, each)) is not None]
    return min(books, key=lambda book: _error(tensors, book, estimator, power_of_two))


@lru_cache(maxsize=512)
def powers(table: LearnedTable, hundredths: int) -> Codebook | None:
    """Return the grid of an exponent; None where two of its codes would decode to the same integer.

    A table of 2^bits integers holds the grid of any exponent; hundredths are as fine as integers of 8 bits tell apart.
    """
    decode_bits = None if hundredths in (50, 100) else table.decode_bits
    try:
        return power_exponent(table.bits, hundredths / 100, decode_bits, nearest=table.nearest)
    except HwsimError:
        return None


def reachable(table: LearnedTable, hundredths: int) -> tuple[int, int]:
    """Return the first and the last of the hundredths around one whose codes all decode to different integers.

    >>> reachable(LearnedTable.parse("power4"), 70), reachable(LearnedTable.parse("power4@4"), 99)
    ((36, 134), (83, 121))
    """
    ends = []
    for step, last in ((-1, COARSE[0] - FINE), (1, COARSE[-1] + FINE)):
        end = hundredths
        while end != last and powers(table, end + step) is not None:
            end += step
        ends.append(end)
    return ends[0], ends[1]


def _error(tensors: Tensors, book: Codebook, estimator: str, power_of_two: bool) -> float:
    return sum(
        total_error(parts, book, row_scales(parts, book, estimator, power_of_two=power_of_two)) for parts in tensors
    )
