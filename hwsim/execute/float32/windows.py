"""Windows over ``[batch, channels, height, width]``, as views, for any dtype."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hwsim.graph import Node
from hwsim.graph.window import window_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The windows of a convolution or pooling over an input of known size; pairs are (height, width)."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    size: tuple[int, int]
    count: tuple[int, int]

    @property
    def padded(self) -> tuple[int, int]:
        """Elements that the windows reach, from the first pad on."""
        return _pair(
            max(self.before[i] + self.size[i], (self.count[i] - 1) * self.strides[i] + self.extent(i)) for i in (0, 1)
        )

    def extent(self, i: int) -> int:
        """Elements from the first to the last tap of a window along dimension ``i``."""
        return self.dilations[i] * (self.kernel[i] - 1) + 1

    @property
    def is_pointwise(self) -> bool:
        """Whether every window is one element of the input, each taken once."""
        return self.kernel == self.strides == (1, 1) and self.padded == self.size


def _pair(values: Any) -> tuple[int, int]:
    first, second = values
    return int(first), int(second)


def windows(node: Node, height: int, width: int) -> Windows:
    """Return the windows that ``node`` lays over ``height x width``.

    With ``ceil_mode`` the last window may overhang, but starts inside the input or the padding before it.
    """
    attributes = node.attributes
    kernel, strides = _pair(attributes["kernel"]), _pair(attributes["strides"])
    dilations = _pair(attributes.get("dilations", (1, 1)))
    top, left, bottom, right = attributes["pads"]
    size, before, after = (height, width), (top, left), (bottom, right)
    count = [
        window_count(
            size[i],
            kernel=kernel[i],
            stride=strides[i],
            before=before[i],
            after=after[i],
            dilation=dilations[i],
            ceil_mode=bool(attributes.get("ceil_mode")),
        )
        for i in (0, 1)
    ]
    return Windows(
        kernel=kernel, strides=strides, dilations=dilations, before=before, after=after, size=size, count=_pair(count)
    )


def padded(x: np.ndarray, w: Windows, fill: Any) -> np.ndarray:
    """Return ``x`` with ``fill`` around it, as far as the windows reach; ``x`` itself where nothing is added."""
    height, width = w.padded
    if (height, width) == w.size and w.before == (0, 0):
        return x
    result = np.full_like(x, fill, shape=(*x.shape[:2], height, width))
    (top, left), (rows, columns) = w.before, w.size
    result[:, :, top : top + rows, left : left + columns] = x
    return result


def taps(x: np.ndarray, w: Windows) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (row, column, view ``[n, c, out_h, out_w]``) for every tap of the kernel; ``x`` is padded."""
    (rows, columns), (sy, sx), (dy, dx) = w.count, w.strides, w.dilations
    for row in range(w.kernel[0]):
        for column in range(w.kernel[1]):
            y, z = row * dy, column * dx
            yield row, column, x[:, :, y : y + (rows - 1) * sy + 1 : sy, z : z + (columns - 1) * sx + 1 : sx]


def columns(x: np.ndarray, w: Windows) -> np.ndarray:
    """Return the im2col matrix ``[n, c, kernel_h * kernel_w, out_h * out_w]``, a copy; ``x`` is padded."""
    view = sliding_window_view(x, (w.extent(0), w.extent(1)), axis=(2, 3))
    view = view[:, :, :: w.strides[0], :: w.strides[1], :: w.dilations[0], :: w.dilations[1]]
    view = view[:, :, : w.count[0], : w.count[1]].transpose(0, 1, 4, 5, 2, 3)
    return view.reshape(*x.shape[:2], w.kernel[0] * w.kernel[1], w.count[0] * w.count[1])
