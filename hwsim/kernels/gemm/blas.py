"""Exact integer products through floating-point BLAS, and on unbounded integers: for operands beyond int16, or any CPU.

A float32 (float64) sum of integers is exact in any order, fused or not, while every partial sum stays within 2^24 (2^53).
k is cut into chunks for which ``max|a| * (largest L1 norm of a weight column)`` proves that.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hwsim.errors import ExecutionError

FLOAT32_LIMIT = 1 << 24
FLOAT64_LIMIT = 1 << 53
INT64_LIMIT = (1 << 63) - 1
SHORTEST_CHUNK = 64
TYPICAL_GAIN = 8  # an L1 norm is seldom less than an eighth of k * max|w|

FloatChunks = tuple[tuple[slice, np.ndarray], ...]


def chunks(w: np.ndarray, a_magnitude: int, w_magnitude: int, limit: int) -> list[slice]:
    """Cut k into parts whose sums stay within ``limit``; no parts where they would be too short to pay.

    Long products read the weights' L1 norms, per block of rows, to prove longer parts than the formats alone do.

    Args:
        w: integers ``[..., k, n]``.
        a_magnitude: no ``|a|`` is larger.
        w_magnitude: no ``|w|`` is larger.
        limit: what the magnitude of a sum may reach.
    """
    k = w.shape[-2]
    length = limit // max(a_magnitude * w_magnitude, 1)
    if length >= k:
        return [slice(0, k)]
    if length * TYPICAL_GAIN < SHORTEST_CHUNK:
        return []
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


def float_chunks(w: np.ndarray, a_magnitude: int, w_magnitude: int) -> FloatChunks:
    """Return the chunks of ``w [..., k, n]`` in the narrowest float that is exact; none where no float pays."""
    if a_magnitude * w_magnitude > FLOAT64_LIMIT:
        return ()
    for limit, dtype in ((FLOAT32_LIMIT, np.float32), (FLOAT64_LIMIT, np.float64)):
        # The format must hold each operand, too: a magnitude beyond 2^24 has no float32.
        parts = chunks(w, a_magnitude, w_magnitude, limit) if max(a_magnitude, w_magnitude) <= limit else []
        if parts:
            return tuple((part, w[..., part, :].astype(dtype)) for part in parts)
    return ()


def float_product(a: np.ndarray, parts: FloatChunks) -> np.ndarray:
    """Return ``a @ w`` as int64 from ``float_chunks`` of ``w``."""
    total = None
    for part, w in parts:
        product = np.matmul(a[..., part].astype(w.dtype), w).astype(np.int64)
        total = product if total is None else np.add(total, product, out=total)
    assert total is not None
    return total


def wide_product(a: np.ndarray, w: np.ndarray, a_magnitude: int, w_magnitude: int) -> np.ndarray:
    """Return ``a @ w`` as int64 by integer loops: in 64 bits where they suffice, else on Python integers (slow).

    Raises:
        ExecutionError: a result that does not fit 64 bits.
    """
    if w.shape[-2] * a_magnitude * w_magnitude <= INT64_LIMIT:
        return np.matmul(a.astype(np.int64), w.astype(np.int64))
    result = np.matmul(a.astype(object), w.astype(object))
    peak = max((abs(int(value)) for value in result.flat), default=0)
    if peak > INT64_LIMIT:
        raise ExecutionError(f"gemm: a sum reaches {peak}, beyond 64 bits; use narrower operands")
    return result.astype(np.int64)
