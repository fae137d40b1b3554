"""Ternary weights by a threshold: what is small becomes 0, the rest its sign (TWN; Li et al., arXiv 1605.04711, section 2.2).

With ``Delta = 0.7 mean|w|`` of a row, weights beyond it are ``+-1`` and the row's scale is their mean magnitude: nearly the scale
and threshold of least squared error for weights that are uniform or normal. ``range = "mse"`` in a plan searches the scale
instead, and rounds to the nearest of -scale, 0, scale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.graph.fusion import bias_params
from hwsim.numerics.formats import TERNARY
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.constants import WEIGHTED, bias_of
from hwsim.quantization.grid import symmetric_scales
from hwsim.quantization.prune import pruned
from hwsim.quantization.state import State
from hwsim.quantization.tables.rows import gathered, rows_of
from hwsim.quantization.weights import widened_for_bias, with_dead_rows

RATIO = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class FitTernary:
    """Set codes and scales of weights on the ternary grid; goes after ``SetGrids``, and biases follow.

    Args:
        ratio: of the threshold to the mean magnitude.
        kept: names of layers that keep the codes and scales that they have.
    """

    ratio: float = RATIO
    kept: tuple[str, ...] = ()

    def __call__(self, state: State) -> State:
        """Return the state with other codes; raise HwsimError where no weight is ternary."""
        graph, changed, found = state.graph, list[Tensor](), False
        for node in graph.nodes:
            weight = graph.tensors[node.inputs[1]] if node.op in WEIGHTED else None
            if weight is None or not weight.is_constant or weight.quant is None or weight.quant.format != TERNARY:
                continue
            found = True
            if node.name in self.kept:
                continue
            ifmap, bias = graph.tensors[node.inputs[0]].quant, bias_of(graph, node)
            data = np.asarray(weight.data)
            if weight.sparsity is not None:
                data = pruned(node, weight, weight.sparsity)
            scales = ternary_scales(data, weight.quant.granularity, self.ratio, power_of_two=state.scheme.power_of_two)
            grid = with_dead_rows(replace(weight.quant, scale=tuple(scales.tolist())), data)
            if ifmap is not None and bias is not None and bias.quant is not None:
                grid = widened_for_bias(ifmap, grid, bias)
                changed.append(replace(bias, quant=bias_params(ifmap, grid, bias), codes=None))
            codes = ternary_codes(data, grid, scales, self.ratio)
            changed.append(replace(weight, quant=grid, codes=codes))
        if not found:
            raise HwsimError('ternary: no weight is on the ternary grid; state weights = "ternary" before SetGrids')
        return state.with_(graph=graph.with_changes(tensors=changed))


def ternary_scales(data: np.ndarray, granularity: Granularity, ratio: float, *, power_of_two: bool) -> np.ndarray:
    """Return the mean magnitude beyond the threshold, one per scale; where only powers of two are allowed the nearest one."""
    parts = rows_of(data, granularity)
    means = []
    for part in parts:
        sizes = np.abs(part.values).astype(np.float64)
        beyond = sizes > ratio * sizes.mean(axis=1, keepdims=True)
        means.append((sizes * beyond).sum(axis=1) / np.maximum(beyond.sum(axis=1), 1))
    found = symmetric_scales(gathered(parts, means), 1.0)
    if power_of_two:
        below = 2.0 ** np.floor(np.log2(found))
        found = np.where(found - below <= 2 * below - found, below, 2 * below)
    return found


def ternary_codes(data: np.ndarray, grid: QuantParams, scales: np.ndarray, ratio: float) -> np.ndarray:
    """Return the codes of ``data``: by the threshold, and to the nearest value where ``grid`` had to take another scale."""
    parts = rows_of(np.abs(data), grid.granularity)
    limits = gathered(parts, [ratio * part.values.astype(np.float64).mean(axis=1) for part in parts])
    signs = np.sign(data) * (np.abs(data) > grid.granularity.spread(limits, data.shape))
    codes = TERNARY.encode_real(signs)
    moved = grid.granularity.spread(grid.scales() != scales.astype(np.float32), data.shape)
    return np.where(moved, grid.encode(data), codes).astype(TERNARY.storage_dtype)
