"""Windows that slide along one axis: which outputs see the input under each tap. Padding is never materialized."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError


def tap_slices(tap: int, size: int, stride: int, dilation: int, pad: int, outputs: int) -> tuple[slice, slice]:
    """Return the outputs, and the inputs that they read, under one tap: ``input = output * stride + tap * dilation - pad``.

    >>> tap_slices(0, 5, 2, 1, 1, 3)
    (slice(1, 3, None), slice(1, 4, 2))
    """
    offset = tap * dilation - pad
    first = max(-(offset // stride), 0)
    last = min((size - 1 - offset) // stride, outputs - 1)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last + 1), slice(first * stride + offset, last * stride + offset + 1, stride)


def valid_counts(
    size: int, kernel: int, stride: int, dilation: int, pads: tuple[int, int], outputs: int, include_pad: bool
) -> np.ndarray:
    """Return how many taps of each window fall on the input (or, with ``include_pad``, on input and padding), int64."""
    begin, end = pads if include_pad else (0, 0)
    position = np.arange(outputs)[:, None] * stride + np.arange(kernel)[None, :] * dilation - pads[0]
    return ((position >= -begin) & (position < size + end)).sum(axis=1, dtype=np.int64)


def check_feature_map(name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise ExecutionError unless that is an integer array ``[batch, channels, height, width]``."""
    if len(shape) != 4 or dtype.kind not in "iu":
        raise ExecutionError(f"{name}: needs integers [batch, channels, height, width], not {dtype} {shape}")
