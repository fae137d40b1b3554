"""A function of one code as a table."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.operands import check_range


def lookup(codes: np.ndarray, table: np.ndarray, minimum: int) -> np.ndarray:
    """Return ``table[codes - minimum]``, of the shape of ``codes`` and the dtype of ``table``.

    Args:
        codes: integers in ``minimum .. minimum + len(table) - 1``.
        table: one entry for each code, ascending.
        minimum: the code of the first entry.

    Raises:
        ExecutionError: a code outside the table.

    >>> lookup(np.array([-2, 1]), np.array([5, 6, 7, 8]), -2)
    array([5, 8])
    """
    if table.ndim != 1 or not table.size:
        raise ExecutionError(f"lookup: the table must be one row of entries, not of shape {table.shape}")
    check_range("lookup", codes, minimum, minimum + table.size - 1)
    return np.take(table, codes.astype(np.int64) - minimum)
