"""What one array product took in and gave, for whoever checks hardware against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hwsim.kernels.mac import Accumulation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldScaling:
    """What the sum of a fold meets between the array and the accumulator (``hwsim.numerics.segments``).

    Args:
        segments: index of the segment that each fold lies in.
        lengths: products along k of each segment, in the array's order.
        weight_zero_point: int64 ``[segments, groups, n]``; times the fold's sum of the ifmap it leaves the fold's sum before
            that is rescaled. All 0 where no such sum is needed beside the array.
        constants: multiplier and shift, int64 ``[segments, groups, n]``; None of a float32 accumulator.
        scale: float32 ``[segments, groups, n]``, what a float32 scaler multiplies by.
    """

    segments: tuple[int, ...]
    lengths: tuple[int, ...]
    weight_zero_point: np.ndarray
    constants: tuple[np.ndarray, np.ndarray] | None
    scale: np.ndarray

    def first(self, groups: int, n: int) -> FoldScaling:
        """Return the scaling of the first ``groups`` and columns."""
        part = (slice(None), slice(groups), slice(n))
        constants = [values[part] for values in self.constants or ()]
        return replace(
            self,
            weight_zero_point=self.weight_zero_point[part],
            constants=(constants[0], constants[1]) if constants else None,
            scale=self.scale[part],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayProduct:
    """The operands of an array layer as they enter the array, and the sums that leave towards the requantizer.

    ``sums = registers(ifmap @ weight) + constant - ifmap_sum * weight_zero_point``; with ``datapath.bias = "start"`` the
    constant is in the registers from the beginning. With ``scaling`` the registers add rescaled sums of folds instead, and
    column sums leave each fold's sum.

    Args:
        ifmap: integers ``[groups, m, k]`` that are multiplied, k in the array's order.
        weight: integers ``[groups, k, n]``, k in the same order.
        constant: int64 ``[groups, n]``: the bias with the zero-point terms folded into it; float32 beside such accumulators.
        weight_zero_point: int64 ``[groups, n]``; all 0 where no column sum is needed beside the array.
        sums: int64 or float32 ``[groups, m, n]``.
        accumulate: ``accumulate_gemm`` with the layer's multiplier, adder tree and psum register; it takes operands, k
            segments, ``accumulator`` and ``start``.
        scaling: of folds whose sums are rescaled; None where plain sums add up.
    """

    ifmap: np.ndarray
    weight: np.ndarray
    constant: np.ndarray
    weight_zero_point: np.ndarray
    sums: np.ndarray
    accumulate: Callable[..., Accumulation]
    scaling: FoldScaling | None = None

    def first(self, groups: int, m: int, n: int) -> ArrayProduct:
        """Return the product of the first ``groups``, rows and columns."""
        return replace(
            self,
            ifmap=self.ifmap[:groups, :m],
            weight=self.weight[:groups, :, :n],
            constant=self.constant[:groups, :n],
            weight_zero_point=self.weight_zero_point[:groups, :n],
            sums=self.sums[:groups, :m, :n],
            scaling=None if self.scaling is None else self.scaling.first(groups, n),
        )
