"""Tile sizes worth trying for one GEMM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.mapping.gemm import Gemm
from hwsim.units import ceil_div

PARTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 256)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Tile sizes in elements along each dimension, int64 ``[candidates]``."""

    m: np.ndarray
    k: np.ndarray
    n: np.ndarray

    def only(self, keep: np.ndarray) -> Candidates:
        """Return the candidates where ``keep`` (bool) is true."""
        return Candidates(m=self.m[keep], k=self.k[keep], n=self.n[keep])


def candidates(gemm: Gemm, rows: int, columns: int) -> Candidates:
    """Return all combinations of balanced parts of each dimension, rounded up to the array's folds.

    With a window, m counts whole output rows up to an image and then whole images, and k counts whole channels. The
    smallest unit of every dimension is among them, so that something fits if anything does.
    """
    window = gemm.window
    if window is None:
        m, k = _parts(gemm.m, columns), _parts(gemm.k, rows)
    else:
        image = window.out_width * window.out_height
        m = sorted(
            {rows_ * window.out_width for rows_ in _parts(window.out_height, 1)}
            | {count * image for count in _parts(window.batch, 1)}
        )
        k = [count * window.taps for count in _parts(window.channels, 1)]
    n = _parts(gemm.n, columns)
    grids = np.meshgrid(np.array(m), np.array(k), np.array(n), indexing="ij")
    return Candidates(m=grids[0].reshape(-1), k=grids[1].reshape(-1), n=grids[2].reshape(-1))


def _parts(size: int, unit: int) -> list[int]:
    """Return the sizes of a dimension cut into balanced parts of whole units, and 1.

    >>> _parts(48, 16)
    [1, 16, 32, 48]
    """
    return sorted({1} | {min(ceil_div(ceil_div(size, parts), unit) * unit, size) for parts in PARTS})
