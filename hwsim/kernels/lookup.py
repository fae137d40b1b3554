"""A function of one code as a table."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.layout import flat, memory_order, shown
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
    if codes.dtype.itemsize == 1 and table.dtype.itemsize == 1:
        return _translated(codes, table, minimum)
    return np.take(table, codes.astype(np.int64) - minimum)


def _translated(codes: np.ndarray, table: np.ndarray, minimum: int) -> np.ndarray:
    """Return the entries of byte codes, in the memory order of ``codes``: the interpreter's own loop over bytes."""
    entries = np.zeros(256, table.dtype)
    entries[np.arange(minimum, minimum + table.size) & 255] = table
    order = memory_order(codes)
    found = np.frombuffer(flat(codes, order).tobytes().translate(entries.tobytes()), table.dtype)
    return shown(found, codes.shape, order)
