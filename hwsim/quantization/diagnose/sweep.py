"""Every quantizer alone, and all but it: which one costs most (Nagel et al. 2021, arXiv 2106.08295)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hwsim.quantization.diagnose.bench import Bench, Score
from hwsim.quantization.diagnose.quantizers import Quantizer
from hwsim.tables import Table

COLUMNS = ("layer", "quantizer", "format", "alone", "alone_sqnr_db", "without", "without_sqnr_db", "gain_db")


def sweep(
    bench: Bench,
    quantizers: tuple[Quantizer, ...],
    progress: Callable[[tuple[Quantizer, ...]], Iterable[Quantizer]] = iter,
) -> tuple[Table, Quantizer]:
    """Return a row per quantizer, the worst alone first, and that quantizer.

    Columns ``alone`` and ``alone_sqnr_db``: the metric (None without labels) and the output's signal to noise ratio with this
    quantizer on and everything else real. ``without``: with this one off and all others on; ``gain_db`` is what that gains.

    Args:
        bench: whose network and images.
        quantizers: of that network, at least one.
        progress: wraps the quantizers.
    """
    together = bench.measure()
    rows: list[tuple[Score, Score, Quantizer]] = []
    for quantizer in progress(quantizers):
        others = [other for other in quantizers if other is not quantizer]
        rows.append((bench.measure([quantizer]), bench.measure(others), quantizer))
    rows.sort(key=lambda row: row[0].key)
    table = Table.of(COLUMNS, [_row(*row, together) for row in rows])
    return table, rows[0][2]


def _row(alone: Score, without: Score, quantizer: Quantizer, together: Score) -> tuple[object, ...]:
    gain = without.sqnr_db - together.sqnr_db
    return (
        quantizer.layer,
        quantizer.kind,
        quantizer.format,
        alone.metric,
        alone.sqnr_db,
        without.metric,
        without.sqnr_db,
        gain,
    )
