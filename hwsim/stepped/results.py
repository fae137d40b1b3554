"""From the order in which results leave the ports back to matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.hardware.dataflow import OPERAND_DIMENSIONS
from hwsim.hardware.parts import SystolicArray
from hwsim.kernels.stepped import Schedule
from hwsim.kernels.stepped.records import BOTTOM, OFFSET, PARALLEL, VECTORS
from hwsim.stepped.fold import Fold
from hwsim.stepped.plan import way_out
from hwsim.stepped.record import FoldRecord

INT64_MAX = (1 << 63) - 1


def fold_records(
    array: SystolicArray,
    folds: Sequence[Fold],
    plan: Schedule,
    values: np.ndarray,
    value_cycles: np.ndarray,
    stream_cycles: np.ndarray,
) -> tuple[FoldRecord, ...]:
    """Return a record of each fold.

    Args:
        array: the array.
        folds: what it computed.
        plan: their streamed vectors.
        values: results in the order of leaving, ``[n, P]``.
        value_cycles: when they left, ``[n, P]``.
        stream_cycles: when each vector entered the first and the last row, ``[V, 2]``.
    """
    records = []
    for number, fold in enumerate(folds):
        begin = int(plan.folds[number, OFFSET])
        end = begin + int(plan.folds[number, VECTORS])
        span = (number, begin, end)
        seen = _matrix(array, value_cycles, span)
        records.append(
            FoldRecord(
                values=_narrow(_used(array, fold, _matrix(array, values, span))),
                value_cycles=_used(array, fold, seen),
                first_operand=int(stream_cycles[begin, 0]),
                last_operand=int(stream_cycles[end - 1, 0]),
                last_row_operand=int(stream_cycles[end - 1, 1]),
                first_result=int(seen.min()),
                last_result=int(seen.max()),
            )
        )
    return tuple(records)


def _matrix(array: SystolicArray, left: np.ndarray, span: tuple[int, int, int]) -> np.ndarray:
    """Return one fold's part of what left, ``[T, C]`` or, where partial sums stay in the array, ``[R, C]``."""
    number, begin, end = span
    if not array.flow.reduces_in_time:
        return left[begin:end]
    out = way_out(array)
    if out == PARALLEL:
        return left[number].reshape(array.rows, array.columns)
    length = array.rows if out == BOTTOM else array.columns
    last_first = left[number * length : (number + 1) * length][::-1]
    return last_first if out == BOTTOM else last_first.T


def _used(array: SystolicArray, fold: Fold, matrix: np.ndarray) -> np.ndarray:
    """Return the part that the fold used, as ``[m, n]``."""
    flow, sizes = array.flow, fold.sizes
    down = flow.rows if flow.reduces_in_time else flow.time
    used = matrix[: sizes[down], : sizes[flow.columns]]
    return used if OPERAND_DIMENSIONS["psum"] == down + flow.columns else used.T


def _narrow(values: np.ndarray) -> np.ndarray:
    """Return int64 where that holds them."""
    if values.dtype == object and max(abs(int(value)) for value in values.flat) > INT64_MAX:
        return values
    return values.astype(np.int64)
