"""Cycles and utilization of a layer as SCALE-Sim reports them.

With R x C the array, F folds, and T streamed vectors, a fold takes ``2 R + C + T - 2`` cycles with a stationary operand and
``R + C + T - 2`` with stationary outputs (``no_drain``), partial folds as many as full ones; folds follow one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.cost.array_cycles import load_cycles, skew
from hwsim.errors import HwsimError
from hwsim.hardware.parts import SystolicArray
from hwsim.units import ceil_div


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeReport:
    """What the array does, memory aside.

    Args:
        row_folds, column_folds: folds along the rows and the columns of the array.
        cycles: total without stalls (``total_cycles``).
        fold_cycles: cycles of a fold.
        macs: multiply-accumulates.
        lanes: processing elements.
        mapping_percent: share of the processing elements that hold work, mean over folds.
        compute_percent: share of the processing elements' cycles that are work, mean over folds.
    """

    row_folds: int
    column_folds: int
    cycles: int
    fold_cycles: int
    macs: int
    lanes: int
    mapping_percent: float
    compute_percent: float

    @property
    def overall_percent(self) -> float:
        """Overall utilization without stalls: work by the processing elements' cycles, of which it has one too few."""
        return self.macs * 100 / (self.cycles * self.lanes)


def total_cycles(array: SystolicArray, sizes: Mapping[str, int]) -> int:
    """Return SCALE-Sim's total of the product ``sizes`` (m, k, n) without stalls: the index of the last cycle (``off_by_one``).

    The same as ``gemm_cycles`` of an array of ``scalesim_array``, less one, in integers alone.
    """
    flow = array.flow
    folds = ceil_div(sizes[flow.rows], array.rows) * ceil_div(sizes[flow.columns], array.columns)
    return folds * _fold_cycles(array, sizes[flow.time]) - 1


def _fold_cycles(array: SystolicArray, stream: int) -> int:
    return load_cycles(array) + stream + sum(skew(array))


def used_lanes(size: int, lanes: int) -> np.ndarray:
    """Return the lanes that each fold of ``size`` uses, int64 ``[folds]``.

    >>> used_lanes(70, 32).tolist()
    [32, 32, 6]
    """
    return np.minimum(lanes, size - np.arange(0, size, lanes))


def compute_report(array: SystolicArray, sizes: Mapping[str, int]) -> ComputeReport:
    """Return the cycles and the utilization of the product ``sizes`` (m, k, n) on an array of ``scalesim_array``.

    Means are taken as the tool takes them: one fold after the other, column folds outermost, rounding after every addition,
    so that the digits agree. (From Python 3.12 on, the tool's own sums are compensated and may differ in the last digit.)

    Raises:
        HwsimError: a product of one cycle, where the tool divides by zero.
    """
    flow = array.flow
    rows, columns = used_lanes(sizes[flow.rows], array.rows), used_lanes(sizes[flow.columns], array.columns)
    cycles = total_cycles(array, sizes)
    if cycles == 0:
        raise HwsimError(
            "SCALE-Sim cannot report a product that takes one cycle: it divides by its total, which is one less; "
            "take a larger layer or array"
        )
    stream, lanes = sizes[flow.time], array.rows * array.columns
    fold_cycles = _fold_cycles(array, stream)
    # columns_counted_twice: the stationary operand is not skewed, yet its C - 1 columns are added as if it were
    divisor = fold_cycles + (0 if flow.reduces_in_time else array.columns - 1)
    busy = np.multiply.outer(columns, rows).ravel()
    return ComputeReport(
        row_folds=len(rows),
        column_folds=len(columns),
        cycles=cycles,
        fold_cycles=fold_cycles,
        macs=sizes["m"] * sizes["k"] * sizes["n"],
        lanes=lanes,
        mapping_percent=_mean(busy / lanes) * 100,
        compute_percent=_mean(busy * stream / (lanes * divisor)) * 100,
    )


def _mean(values: np.ndarray) -> float:
    """Return the mean of float64 values, added one after the other."""
    return float(np.cumsum(values)[-1]) / len(values)
