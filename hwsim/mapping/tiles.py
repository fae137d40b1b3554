"""Where a dimension is cut into tiles, and how much of an image each tile touches."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwsim.mapping.gemm import Gemm, Window


def cuts(gemm: Gemm, dim: str, tile: int, start: int = 0, stop: int | None = None) -> list[tuple[int, int]]:
    """Return (start, size) of the tiles along a dimension from ``start`` to ``stop``; the last may be smaller.

    With a window, tiles of less than an image end at the image's border: no tile holds rows of two images.
    """
    stop = gemm.shape[dim] if stop is None else stop
    window = gemm.window
    image = window.image if dim == "m" and window is not None and tile < window.image else None
    found = []
    while start < stop:
        end = min(start + tile, stop)
        if image is not None:
            end = min(end, (start // image + 1) * image)
        found.append((start, end - start))
        start = end
    return found


def ifmap_elements(gemm: Gemm, starts: np.ndarray, sizes: np.ndarray, k_sizes: np.ndarray) -> np.ndarray:
    """Return the distinct ifmap elements under tiles of output rows ``[starts, starts + sizes)``, int64 ``[tiles]``.

    With a window: the input rows that some tap of the tile's output rows meets, whole rows, padding and inserted zeros
    left out. Tiles of neighbouring rows overlap (the halo is loaded by both).
    """
    window = gemm.window
    if window is None:
        return sizes * k_sizes
    where = np.stack([starts % window.image, sizes], axis=1)
    distinct, index = np.unique(where, axis=0, return_inverse=True)
    pixels = np.array([pixels_under(window, int(start), int(size)) for start, size in distinct], dtype=np.int64)
    return pixels[index.reshape(-1)] * (k_sizes // window.taps)


@lru_cache(maxsize=65536)
def pixels_under(window: Window, start: int, size: int) -> int:
    """Return the distinct stored pixels of one channel under ``size`` output pixels from ``start`` in an image.

    ``size`` is whole output rows within the image, or whole images.
    """
    if size >= window.image:
        return size // window.image * touched_rows(window, 0, window.out_height) * window.stored_width
    first = start // window.out_width
    return touched_rows(window, first, first + size // window.out_width) * window.stored_width


def touched_rows(window: Window, first: int, last: int) -> int:
    """Return how many stored input rows the output rows ``first .. last - 1`` meet."""
    rows = {
        row * window.strides[0] + tap * window.dilations[0] - window.pads[0]
        for row in range(first, last)
        for tap in range(window.kernel[0])
    }
    return sum(0 <= row < window.in_height and row % window.spread[0] == 0 for row in rows)
