"""The two values of a format between which a weight lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.numerics.formats import Codebook
from hwsim.numerics.rounding import Rounding


def neighbours(tensor: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of the values below and above every weight, in steps of its scale: two arrays of the tensor's shape.

    They are the same where a weight lies on a value or beyond the ends, and where it was pruned.

    Raises:
        HwsimError: a tensor without data or a calibrated grid.
    """
    grid = tensor.quant
    if tensor.data is None or grid is None or not grid.is_calibrated:
        raise HwsimError(f"rounding: tensor {tensor.name!r} has no calibrated grid; set grids before rounding on them")
    if isinstance(grid.format, Codebook):  # thresholds of its own would win over a direction
        grid = replace(grid, format=replace(grid.format, thresholds=None))
    real = approximated(tensor)
    low, high = (replace(grid, rounding=side).encode(real) for side in (Rounding.FLOOR, Rounding.CEIL))
    return low, high


def kept(tensor: Tensor) -> np.ndarray:
    """Return which weights a stated sparsity leaves; all of them where there is none."""
    if tensor.sparsity is None or tensor.codes is None:
        return np.ones(tensor.shape, dtype=bool)
    assert tensor.quant is not None
    return np.asarray(tensor.quant.decode(tensor.codes) != 0)  # of a table, 0 is not code 0


def approximated(tensor: Tensor) -> np.ndarray:
    """Return the real values that a weight's codes stand in for as float32: its data, and 0 where it was pruned."""
    return np.where(kept(tensor), np.asarray(tensor.data, dtype=np.float32), np.float32(0.0))


def share_above(tensor: Tensor, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return where each weight lies between its neighbours as float32: 0 on the lower, 1 on the upper, 0.5 without a choice."""
    assert tensor.quant is not None
    below, above = tensor.quant.decode(low), tensor.quant.decode(high)
    gap = above - below
    share = np.divide(approximated(tensor) - below, gap, out=np.full_like(gap, 0.5), where=gap != 0)
    return np.clip(share, 0.0, 1.0)
