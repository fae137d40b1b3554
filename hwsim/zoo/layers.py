"""The operators of the zoo's topologies in plain float64 numpy: enough to measure how a drawn network behaves.

Not an executor of hwsim: it serves the one data pass in :mod:`hwsim.zoo.fill`. Layout as in ONNX, [n, c, h, w].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_ROWS = 1 << 22  # weights converted to float64 at a time


def conv(x: np.ndarray, weight: np.ndarray, attributes: dict[str, Any]) -> np.ndarray:
    """Return the convolution without bias, one image and all groups at a time."""
    filters, depth, kh, kw = weight.shape
    groups = attributes.get("group", 1)
    sh, sw = attributes.get("strides", (1, 1))
    x = _pad(x, attributes, 0.0)
    oh, ow = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    matrix = weight.astype(np.float64).reshape(groups, filters // groups, depth * kh * kw)
    y = np.empty((x.shape[0], filters, oh, ow))
    for image, out in zip(x, y, strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(image, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
        columns = windows.transpose(0, 3, 4, 1, 2).reshape(groups, depth * kh * kw, oh * ow)
        np.matmul(matrix, columns, out=out.reshape(groups, filters // groups, oh * ow))
    return y


def linear(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return ``x @ weight.T`` for x [n, k] and float32 weight [m, k], without a float64 copy of all weights."""
    y = np.empty((x.shape[0], weight.shape[0]))
    step = max(1, _ROWS // weight.shape[1])
    for start in range(0, weight.shape[0], step):
        y[:, start : start + step] = x @ weight[start : start + step].astype(np.float64).T
    return y


def pool(x: np.ndarray, attributes: dict[str, Any], *, maximum: bool) -> np.ndarray:
    """Return max pooling, or average pooling that leaves the padding out of the count (the ONNX default)."""
    if maximum:
        return _windows(_pad(x, attributes, -np.inf), attributes, np.maximum)
    counts = _windows(_pad(np.ones((1, 1, *x.shape[2:])), attributes, 0.0), attributes, np.add)
    return _windows(_pad(x, attributes, 0.0), attributes, np.add) / counts


def local_response(x: np.ndarray, attributes: dict[str, Any]) -> np.ndarray:
    """Return local response normalization over channels, window ``size`` (odd)."""
    size, reach = attributes["size"], attributes["size"] // 2
    squares = np.pad(x * x, ((0, 0), (reach, reach), (0, 0), (0, 0)))
    total = sum(squares[:, k : k + x.shape[1]] for k in range(size))
    alpha, beta, bias = attributes["alpha"], attributes["beta"], attributes["bias"]
    return np.asarray(x / (bias + alpha / size * total) ** beta)


def channels_first(vector: np.ndarray, rank: int) -> np.ndarray:
    """Return ``vector`` [c] shaped to act on axis 1 of an array of ``rank`` dimensions."""
    return vector.reshape(-1, *[1] * (rank - 2))


def _pad(x: np.ndarray, attributes: dict[str, Any], value: float) -> np.ndarray:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if not any((top, left, bottom, right)):
        return x
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def _windows(x: np.ndarray, attributes: dict[str, Any], combine: Callable[..., np.ndarray]) -> np.ndarray:
    """Combine the shifted, strided copies of ``x``, one per position of the window."""
    (kh, kw), (sh, sw) = attributes["kernel_shape"], attributes.get("strides", (1, 1))
    oh, ow = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    total: np.ndarray | None = None
    for i in range(kh):
        for j in range(kw):
            part = x[:, :, i : i + sh * (oh - 1) + 1 : sh, j : j + sw * (ow - 1) + 1 : sw]
            total = part.copy() if total is None else combine(total, part, out=total)
    assert total is not None
    return total
