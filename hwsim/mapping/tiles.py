"""Where a dimension is cut into tiles, and how much of an image each tile touches."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hwsim.mapping.gemm import Gemm, Window


def cuts(gemm: Gemm, dim: str, tile: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (starts, sizes) of the tiles along a dimension, int64 ``[tiles]``; the last may be smaller.

    With a window, tiles of less than an image end at the image's border: no tile holds rows of two images.
    """
    size, window = gemm.shape[dim], gemm.window
    block = window.image if dim == "m" and window is not None and tile < window.image else size
    starts = np.arange(0, block, tile)
    sizes = np.minimum(block - starts, tile)
    blocks = size // block
    return (np.arange(blocks)[:, None] * block + starts).reshape(-1), np.tile(sizes, blocks)


def per_tile(tiles: np.ndarray, value: Callable[[int], int]) -> np.ndarray:
    """Return ``value(tile)`` for every element, computed once for each distinct tile size, int64."""
    distinct, index = np.unique(tiles, return_inverse=True)
    return np.array([value(int(tile)) for tile in distinct], dtype=np.int64)[index.reshape(-1)]


def ifmap_tile_elements(gemm: Gemm, tile_m: int, k_sizes: np.ndarray) -> np.ndarray:
    """Return the distinct ifmap elements that each tile loads, int64 ``[m tiles, k tiles]``.

    With a window: the input rows that some tap of the tile's output rows meets, whole rows, padding and inserted zeros
    left out. Tiles of neighbouring rows overlap (the halo is loaded by both).
    """
    starts, sizes = cuts(gemm, "m", tile_m)
    if gemm.window is None:
        return sizes[:, None] * k_sizes[None, :]
    return _pixels(gemm.window, starts, sizes)[:, None] * (k_sizes // gemm.window.taps)[None, :]


def ifmap_largest(gemm: Gemm, m: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return the ifmap elements of the largest of the tiles of ``m`` x ``k``, int64 ``[candidates]``."""
    if gemm.window is None:
        return m * k
    one_channel = np.array([gemm.window.taps])
    return per_tile(m, lambda tile: ifmap_tile_elements(gemm, tile, one_channel).max()) * (k // gemm.window.taps)


def ifmap_total(gemm: Gemm, m: np.ndarray) -> np.ndarray:
    """Return the ifmap elements of one pass over all tiles of ``m`` rows, halos loaded twice, int64 ``[candidates]``."""
    return per_tile(m, lambda tile: ifmap_tile_elements(gemm, tile, np.array([gemm.k])).sum())


def _pixels(window: Window, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the distinct pixels of one channel in each tile."""
    touched = _touched(window)
    if sizes[0] >= window.image:
        rows = np.full(len(starts), touched.any(axis=0).sum())
    else:
        edges = starts[starts < window.image] // window.out_width
        rows = np.tile(np.logical_or.reduceat(touched, edges, axis=0).sum(axis=1), window.batch)
    images = np.maximum(sizes // window.image, 1)
    return images * rows * window.stored_width


@lru_cache(maxsize=256)
def _touched(window: Window) -> np.ndarray:
    """Return which input rows each output row meets, bool ``[out_height, in_height]``; only rows that are stored."""
    rows = np.arange(window.out_height)[:, None] * window.strides[0] - window.pads[0]
    rows = rows + np.arange(window.kernel[0]) * window.dilations[0]
    touched = np.zeros((window.out_height, window.in_height), dtype=bool)
    real = (rows >= 0) & (rows < window.in_height) & (rows % window.spread[0] == 0)
    outputs = np.broadcast_to(np.arange(window.out_height)[:, None], rows.shape)
    touched[outputs[real], rows[real]] = True
    return touched
