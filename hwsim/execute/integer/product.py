"""What one array product took in and gave, for whoever checks hardware against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwsim.kernels.mac import Accumulation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayProduct:
    """The operands of an array layer as they enter the array, and the sums that leave towards the requantizer.

    ``sums = registers(ifmap @ weight) + constant - ifmap_sum * weight_zero_point``; with ``datapath.bias = "start"`` the
    constant is in the registers from the beginning.

    Args:
        ifmap: integers ``[groups, m, k]`` that are multiplied, k in the array's order.
        weight: integers ``[groups, k, n]``, k in the same order.
        constant: int64 ``[groups, n]``: the bias with the zero-point terms folded into it.
        weight_zero_point: int64 ``[groups, n]``; all 0 where no column sum is needed beside the array.
        sums: int64 ``[groups, m, n]``.
        accumulate: ``accumulate_gemm`` with the layer's multiplier, adder tree and psum register; it takes operands, k
            segments, ``accumulator`` and ``start``.
    """

    ifmap: np.ndarray
    weight: np.ndarray
    constant: np.ndarray
    weight_zero_point: np.ndarray
    sums: np.ndarray
    accumulate: Callable[..., Accumulation]
