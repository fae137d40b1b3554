"""Which tiles fit the on-chip memories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm
from hwsim.units import BITS_PER_BYTE

OPERANDS = ("ifmap", "weight", "ofmap", "psum")


@dataclass(frozen=True, slots=True, kw_only=True)
class TileBits:
    """Bits of one tile per operand; integers or numpy arrays of equal shape."""

    ifmap: np.ndarray
    weight: np.ndarray
    ofmap: np.ndarray
    psum: np.ndarray


def tile_bits(gemm: Gemm, m: np.ndarray, k: np.ndarray, n: np.ndarray, psum_bits: int) -> TileBits:
    """Return what a full tile of ``m x k x n`` occupies; with a window the ifmap counts distinct pixels."""
    return TileBits(
        ifmap=ifmap_elements(gemm, m, k) * gemm.ifmap.bits,
        weight=k * n * gemm.weight.bits,
        ofmap=m * n * gemm.ofmap.bits,
        psum=m * n * psum_bits,
    )


def ifmap_elements(gemm: Gemm, m: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return the most ifmap elements that a tile of ``m`` rows and ``k`` columns of the GEMM stores."""
    window = gemm.window
    if window is None:
        return m * k
    image = window.out_width * window.out_height
    rows = np.minimum(ceil_div_array(m, window.out_width), window.out_height)
    reach = (rows - 1) * window.strides[0] + window.dilations[0] * (window.kernel[0] - 1) + 1
    pixels = np.maximum(m // image, 1) * np.minimum(reach, window.in_height) * window.in_width
    return pixels * (k // window.taps)


def ifmap_tile_elements(gemm: Gemm, starts: np.ndarray, m: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return the distinct ifmap elements of every tile, ``[m tiles, k tiles]``.

    With a window: the input rows that the tile's output rows reach, padding left out, times the image width. Tiles of
    neighbouring rows overlap (the halo is loaded twice).
    """
    window = gemm.window
    if window is None:
        return m[:, None] * k[None, :]
    image = window.out_width * window.out_height
    first = (starts % image) // window.out_width
    rows = np.minimum(ceil_div_array(m, window.out_width), window.out_height)
    top = first * window.strides[0] - window.pads[0]
    bottom = top + (rows - 1) * window.strides[0] + window.dilations[0] * (window.kernel[0] - 1) + 1
    stored = np.clip(bottom, 0, window.in_height) - np.clip(top, 0, window.in_height)
    pixels = np.maximum(m // image, 1) * np.maximum(stored, 0) * window.in_width
    return pixels[:, None] * (k // window.taps)[None, :]


def ifmap_total_elements(gemm: Gemm, m: np.ndarray) -> np.ndarray:
    """Return the ifmap elements of one pass over all tiles of ``m`` rows, halos loaded twice, ``[candidates]``."""
    totals = {}
    for tile in np.unique(m):
        starts = np.arange(0, gemm.m, tile)
        sizes = np.minimum(gemm.m - starts, tile)
        totals[int(tile)] = int(ifmap_tile_elements(gemm, starts, sizes, np.array([gemm.k])).sum())
    return np.array([totals[int(tile)] for tile in m], dtype=np.int64)


def ceil_div_array(a: np.ndarray, b: int) -> np.ndarray:
    """Return ``ceil(a / b)`` element-wise."""
    return -(-np.asarray(a) // b)


def memory_bytes(accelerator: Accelerator, tiles: TileBits) -> dict[str, np.ndarray]:
    """Return the bytes needed in each on-chip memory; double buffering keeps two tiles of every operand but the psum."""
    needed: dict[str, np.ndarray] = {}
    for level in accelerator.memory:
        total = np.zeros_like(np.asarray(tiles.psum))
        for operand in OPERANDS:
            if operand in level.holds:
                copies = 2 if level.double_buffered and operand != "psum" else 1
                total = total + copies * ceil_div_array(getattr(tiles, operand), BITS_PER_BYTE)
        needed[level.name] = total
    return needed


def fits(accelerator: Accelerator, tiles: TileBits) -> np.ndarray:
    """Return which tiles fit every memory."""
    needed = memory_bytes(accelerator, tiles)
    return np.logical_and.reduce([needed[level.name] <= level.size_bytes for level in accelerator.memory])
