"""A table of a layer's own, learned on its weights by k-means; every row keeps a scale.

Weights are divided by their rows' scales and put in one set, in which a number counts with the square of its scale, so that the
error is that of the weights themselves. k-means starts from evenly spaced levels and from quantiles; its levels are rounded to
integers of ``decode_bits``, which is what the table holds and the array multiplies. With ``mse``, scales and levels are then
improved in turn. Rows of zeros do not take part. The symmetric integers of the same width are always a candidate: the result is never worse than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from hwsim.numerics.formats import Codebook, IntFormat, LearnedTable, power_exponent
from hwsim.quantization.grid import symmetric_scales
from hwsim.quantization.tables.lloyd import lloyd
from hwsim.quantization.tables.rows import Rows, alive, gathered, sampled
from hwsim.quantization.tables.scales import row_scales, total_error, with_zeros

ROUNDS = 4
SAMPLE = 1 << 16  # weights of a tensor that the turns look at; errors are compared on all
Fitted = tuple[Codebook, np.ndarray]


def fit_codebook(
    parts: Sequence[Rows], table: LearnedTable, estimator: str, *, power_of_two: bool, holds_zero: bool = False
) -> Fitted:
    """Return the table and the scales of the rows, float64 ``[scales]``.

    Args:
        parts: the weight's rows.
        table: bits and decode bits.
        estimator: ``minmax``: each row's magnitude is its scale before k-means; ``mse``: scales move with the levels.
        power_of_two: of the scales.
        holds_zero: make one of the values 0, as pruned weights need.
    """
    narrow = IntFormat(bits=table.bits, narrow=True)
    even = replace(power_exponent(table.bits, 1, nearest=True), name=str(table))
    fits = [(even, row_scales(parts, narrow, estimator, power_of_two=power_of_two))]
    peaks = gathered(parts, [np.abs(part.values).max(axis=1) for part in parts])
    whole = symmetric_scales(peaks, 1.0, power_of_two=power_of_two)
    for quantiles in (False, True) if peaks.any() else ():
        fits.append(_of_levels(parts, whole, table, power_of_two, holds_zero, quantiles=quantiles))
    if estimator == "mse" and peaks.any():
        fits.append(_improved(parts, [book for book, _ in fits], table, power_of_two, holds_zero))
    return min(fits, key=lambda fitted: total_error(parts, *fitted))


def _improved(
    parts: Sequence[Rows], starts: Sequence[Codebook], table: LearnedTable, power_of_two: bool, holds_zero: bool
) -> Fitted:
    """Return the best table, with its scales, of those that scales and levels lead to in turn; found on a sample of rows."""
    sample, best, least = sampled(alive(parts), SAMPLE), starts[0], np.inf
    for start in starts:
        book, last = start, np.inf
        for _ in range(ROUNDS):
            scales = row_scales(sample, book, "mse", power_of_two=power_of_two)
            error = total_error(sample, book, scales)
            if error >= last:
                break
            last = error
            if error < least:
                best, least = book, error
            book, _ = _of_levels(sample, scales, table, power_of_two, holds_zero, start=book)
    return best, row_scales(parts, best, "mse", power_of_two=power_of_two)


def _of_levels(
    parts: Sequence[Rows],
    scales: np.ndarray,
    table: LearnedTable,
    power_of_two: bool,
    holds_zero: bool,
    *,
    quantiles: bool = False,
    start: Codebook | None = None,
) -> Fitted:
    """Return the integers to which k-means leads on rows divided by ``scales``, and the scales in their units."""
    rows = [
        (part.values[live], scales[part.scale[live], None]) for part in parts if (live := part.values.any(axis=1)).any()
    ]
    values = np.concatenate([(each / scale).reshape(-1) for each, scale in rows])
    weights = np.concatenate([np.broadcast_to(scale**2, each.shape).reshape(-1) for each, scale in rows])
    order = np.argsort(values, kind="stable")
    values, weights = values[order].astype(np.float64), weights[order]
    count = 1 << table.bits
    if start is not None:
        first = np.sort([float(value) for value in start.values])
    elif quantiles:
        first = np.quantile(values, (np.arange(count) + 0.5) / count)
    else:
        first = np.linspace(values[0], values[-1], count)
    levels = lloyd(values, weights, first)
    if holds_zero:
        levels[np.abs(levels).argmin()] = 0.0
    most = (1 << (table.decode_bits - 1)) - 1
    unit = symmetric_scales(np.abs(levels).max(), float(most), power_of_two=power_of_two)
    integers = np.unique(np.clip(np.rint(levels / unit), -most, most).astype(np.int64))
    if integers.size < 2:
        integers = np.array([0, most])
    book = Codebook(name=str(table), values=tuple(Fraction(int(value)) for value in integers))
    taken = symmetric_scales(scales * float(unit), 1.0, power_of_two=power_of_two)
    return book, with_zeros(parts, book, np.where(scales > 0, taken, 1.0))
