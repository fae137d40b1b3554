"""Where a dimension is cut into tiles, and how much of an image each tile touches.

Along k a tile, which is what memories bring at a time, holds as many whole segments as fit; a segment that is longer than
a tile is cut by itself. What a tile shares with one segment is a *part*: folds never cross parts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np

from hwsim.mapping.gemm import Gemm, Window


def cuts(gemm: Gemm, dim: str, tile: int, start: int = 0, stop: int | None = None) -> list[tuple[int, int]]:
    """Return (start, size) of the tiles along a dimension from ``start`` to ``stop``; the last may be smaller.

    With a window, tiles of less than an image end at the image's border: no tile holds rows of two images. Along k, where
    scales change, tiles hold whole segments; ``start`` and ``stop`` are then not read.
    """
    if dim == "k" and gemm.has_scales:
        return _tiles_of_segments(gemm.segments, tile)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a tile along k and one segment share; of decoded scales, whose sums cross segments, a whole tile.

    Args:
        tile: index of the tile.
        start, size: along k, in the array's order.
        scales: of one column that it has.
    """

    tile: int
    start: int
    size: int
    scales: int


def k_parts(gemm: Gemm, tile: int) -> list[Part]:
    """Return the parts of k in the array's order, cut into tiles of at most ``tile``."""
    ends = list(accumulate(gemm.scale_runs))
    parts = []
    for index, (start, size) in enumerate(cuts(gemm, "k", tile)):
        inner = ends[bisect_right(ends, start) : bisect_left(ends, start + size)]
        if gemm.is_segmented:
            bounds = [start, *inner, start + size]
            parts += [Part(tile=index, start=a, size=b - a, scales=1) for a, b in pairwise(bounds)]
        else:
            parts.append(Part(tile=index, start=start, size=size, scales=len(inner) + 1))
    return parts


def most_scales(gemm: Gemm, tile: int) -> int:
    """Return how many scales of one column the tile with the most of them has; 0 where one serves the whole of k."""
    if not gemm.has_scales:
        return 0
    counts: dict[int, int] = {}
    for part in k_parts(gemm, tile):
        counts[part.tile] = counts.get(part.tile, 0) + part.scales
    return max(counts.values())


def _tiles_of_segments(segments: tuple[int, ...], tile: int) -> list[tuple[int, int]]:
    """Return (start, size) of tiles of at most ``tile`` that hold whole segments wherever they can.

    >>> _tiles_of_segments((3, 3, 3, 8, 1), 7)
    [(0, 6), (6, 3), (9, 7), (16, 2)]
    """
    found: list[tuple[int, int]] = []
    start = end = 0
    for length in segments:
        if end > start and end - start + length > tile:
            found.append((start, end - start))
            start = end
        end += length
        while end - start > tile:
            found.append((start, tile))
            start += tile
    found.append((start, end - start))
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
