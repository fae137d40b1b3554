"""Exact integer matrix product through floating-point BLAS.

A float32 (float64) sum of integers is exact in any order, fused or not, while every partial sum stays within 2^24 (2^53).
k is cut into chunks for which ``max|a| * (largest L1 norm of a weight column)`` proves that.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.operands import check_range

FLOAT32_LIMIT = 1 << 24
FLOAT64_LIMIT = 1 << 53
INT64_LIMIT = (1 << 63) - 1
SHORTEST_CHUNK = 64
TYPICAL_GAIN = 8  # an L1 norm is seldom less than an eighth of k * max|w|
ROWS_THAT_PAY_A_NORM = 256


def exact_gemm(a: np.ndarray, w: np.ndarray, a_magnitude: int, w_magnitude: int) -> np.ndarray:
    """Return ``a @ w`` exactly, as int64 ``[..., m, n]``.

    Args:
        a: integers ``[..., m, k]``.
        w: integers ``[..., k, n]``; leading dimensions broadcast as in ``numpy.matmul``.
        a_magnitude: no ``|a|`` is larger (checked).
        w_magnitude: no ``|w|`` is larger (checked).

    Raises:
        ExecutionError: an operand beyond its magnitude, or a result that does not fit 64 bits.
    """
    check_range("gemm activations", a, -a_magnitude, a_magnitude)
    check_range("gemm weights", w, -w_magnitude, w_magnitude)
    k = w.shape[-2]
    if k * a_magnitude * w_magnitude > INT64_LIMIT:
        return _unbounded(a, w)
    if a_magnitude * w_magnitude > FLOAT64_LIMIT:
        return np.matmul(a.astype(np.int64), w.astype(np.int64))
    for limit, dtype in ((FLOAT32_LIMIT, np.float32), (FLOAT64_LIMIT, np.float64)):
        # The format must hold each operand, too: a magnitude beyond 2^24 has no float32.
        chunks = _chunks(w, a.shape[-2], a_magnitude, w_magnitude, limit)
        if chunks and max(a_magnitude, w_magnitude) <= limit:
            return _chunked(a, w, dtype, chunks)
    return np.matmul(a.astype(np.int64), w.astype(np.int64))


def _chunks(w: np.ndarray, m: int, a_magnitude: int, w_magnitude: int, limit: int) -> list[slice]:
    """Cut k into parts whose sums stay within ``limit``; no parts where they would be too short to pay.

    Long products read the weights' L1 norms, per block of rows, to prove longer parts than the formats alone do.
    """
    k = w.shape[-2]
    length = limit // max(a_magnitude * w_magnitude, 1)
    if length >= k:
        return [slice(0, k)]
    if length * TYPICAL_GAIN < SHORTEST_CHUNK:
        return []
    if m < ROWS_THAT_PAY_A_NORM:
        return [slice(i, i + length) for i in range(0, k, length)] if length >= SHORTEST_CHUNK else []
    block = min(length, SHORTEST_CHUNK // 2)
    starts = list(range(0, k, block))
    norms = np.add.reduceat(
        np.abs(w.astype(np.int32 if w_magnitude < 1 << 31 else np.int64)), starts, axis=-2, dtype=np.int64
    )
    cuts, held = [0], np.zeros_like(norms[..., 0, :])
    for index, start in enumerate(starts):
        norm = norms[..., index, :]
        if a_magnitude * int((held + norm).max(initial=0)) > limit:
            cuts.append(start)
            held = np.zeros_like(held)
        held = held + norm
    if len(cuts) * SHORTEST_CHUNK > 2 * k:
        return []
    return [slice(before, after) for before, after in pairwise([*cuts, k])]


def _chunked(a: np.ndarray, w: np.ndarray, dtype: type[np.floating], chunks: list[slice]) -> np.ndarray:
    total = None
    for chunk in chunks:
        part = np.matmul(a[..., chunk].astype(dtype), w[..., chunk, :].astype(dtype)).astype(np.int64)
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    return total


def _unbounded(a: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Multiply on Python integers: slow, only for operands whose products could leave 64 bits."""
    result = np.matmul(a.astype(object), w.astype(object))
    peak = max((abs(int(value)) for value in result.flat), default=0)
    if peak > INT64_LIMIT:
        raise ExecutionError(f"gemm: a sum reaches {peak}, beyond 64 bits; use narrower operands")
    return result.astype(np.int64)
