"""Checks on the operands that kernels share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.errors import ExecutionError


def magnitude(codes: np.ndarray) -> int:
    """Return the largest ``|code|`` as a Python int, 0 for an empty array."""
    return max(int(codes.max()), -int(codes.min())) if codes.size else 0


def absolute(codes: np.ndarray) -> np.ndarray:
    """Return ``|codes|`` in their own type, or in int64 where the type cannot hold it."""
    if codes.dtype.kind == "u":
        return codes
    fits = magnitude(codes) <= np.iinfo(codes.dtype).max
    return np.abs(codes if fits else codes.astype(np.int64))


def check_range(name: str, codes: np.ndarray, low: int, high: int) -> None:
    """Raise ExecutionError where ``codes`` are not integers or leave ``low..high``."""
    if codes.dtype.kind not in "iu":
        raise ExecutionError(f"{name}: codes must be integers, not {codes.dtype}")
    if codes.size and not (low <= int(codes.min()) and int(codes.max()) <= high):
        raise ExecutionError(
            f"{name}: codes lie in {codes.min()}..{codes.max()}, outside the range {low}..{high} stated for them"
        )


def check_segments(segments: Sequence[int] | np.ndarray, k: int) -> np.ndarray:
    """Return ``segments`` as int64; raise ExecutionError unless they are positive and sum to ``k``."""
    folds = np.asarray(segments, np.int64).reshape(-1)
    if int(folds.sum()) != k or (folds <= 0).any():
        raise ExecutionError(f"accumulate: segments {folds.tolist()} must be positive and sum to k={k}")
    return folds


def check_tree(tree: int, folds: np.ndarray) -> int:
    """Return ``tree`` cut to the longest fold, whose whole sum it then is; raise ExecutionError unless it is positive."""
    if tree < 1:
        raise ExecutionError(f"accumulate: an adder tree must sum at least one product, not {tree}; 1 means no tree")
    return min(tree, int(folds.max(initial=1)))
