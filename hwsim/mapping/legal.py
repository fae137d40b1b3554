"""Which tiles fit the on-chip memories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm
from hwsim.units import BITS_PER_BYTE, ceil_div

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


def candidates(gemm: Gemm, rows: int, columns: int) -> tuple[list[int], list[int], list[int]]:
    """Return tile sizes worth trying along m, k and n: the array's folds times powers of two, and whole dimensions.

    With a window, m counts whole output rows up to an image and then whole images; k counts whole channels.
    """
    window = gemm.window
    if window is None:
        return _steps(gemm.m, columns), _steps(gemm.k, rows), _steps(gemm.n, columns)
    image = window.out_width * window.out_height
    heights = [count * window.out_width for count in _steps(window.out_height, 1)]
    images = [count * image for count in _steps(window.batch, 1)]
    channels = [count * window.taps for count in _steps(window.channels, 1)]
    return sorted({*heights, *images}), channels, _steps(gemm.n, columns)


def _steps(size: int, unit: int) -> list[int]:
    found = {size, min(unit, size)}
    step = unit
    while step < size:
        found |= {step, min(step * 3 // 2, size) if step % 2 == 0 else step}
        step *= 2
    balanced = {min(ceil_div(ceil_div(size, parts), unit) * unit, size) for parts in (2, 3, 4, 5, 6, 8, 12, 16, 32, 64)}
    return sorted(found | balanced)
