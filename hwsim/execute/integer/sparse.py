"""Weights that must obey an N:M pattern, and products that zero operands keep from toggling."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.integer.layer import Layer
from hwsim.graph import k_axis
from hwsim.hardware.mac import MacShape
from hwsim.numerics.formats import IntFormat


def check_sparsity(layer: Layer) -> None:
    """Raise ExecutionError where an array for sparse weights is given weights that break their pattern.

    Args:
        layer: an array layer. Nothing is checked where its machine multiplies every weight, or where the weights have no
            pattern or no scale yet.
    """
    weight, pattern = layer.tensor(1), layer.tensor(1).sparsity
    if pattern is None or layer.datapath.sparsity is None or weight.quant is None or not weight.quant.is_calibrated:
        return
    codes = weight.encoded()
    operands = codes if isinstance(weight.quant.format, IntFormat) else weight.quant.format.operands(codes)
    excess = pattern.excess(operands, k_axis(layer.node, weight))
    if excess:
        raise ExecutionError(
            f"layer {layer.node.name!r}: {excess} blocks of {pattern.block} weights have more than {pattern.keep} nonzero "
            f'codes, against sparsity {pattern}; prune them (quantize the float network with sparsity = "{pattern}"), or state '
            f'sparsity = "dense" for this layer'
        )


def active_products(ifmap: np.ndarray, weight: np.ndarray, gating: str, mac: MacShape) -> tuple[int, int]:
    """Return (products that toggle, products computed) of integers as they enter the multipliers.

    Args:
        ifmap: ``[groups, m, k]``.
        weight: ``[groups, k, n]``.
        gating: ``activation``, ``weight`` or ``both``: a product with such an operand of zero does not toggle.
        mac: with sparse weights only those that are kept make products; a place that keeps a zero weight counts as one
            whose activation is not zero.
    """
    groups, m, k = ifmap.shape
    n = weight.shape[2]
    x = np.count_nonzero(ifmap, axis=1).astype(np.int64)
    w = np.count_nonzero(weight, axis=2).astype(np.int64)
    every = groups * m * mac.kept(k) * n
    if gating == "both":
        return int((x * w).sum()), every
    if gating == "weight":
        return m * int(w.sum()), every
    if not mac.is_sparse:
        return n * int(x.sum()), every
    return int((x * w).sum()) + every - m * int(w.sum()), every
