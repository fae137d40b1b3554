"""Which tiles fit the on-chip memories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.tiles import ifmap_largest
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
    """Return what the largest tile of ``m x k x n`` occupies; with a window the ifmap counts distinct pixels."""
    return TileBits(
        ifmap=ifmap_largest(gemm, m, k) * gemm.ifmap.bits,
        weight=k * n * gemm.weight.bits,
        ofmap=m * n * gemm.ofmap.bits,
        psum=m * n * psum_bits,
    )


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
