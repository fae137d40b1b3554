"""Batch-norm re-estimation after quantization: mean and variance of every normalized channel become those of the float network.

Nagel et al. 2022 (arXiv:2203.11086) re-estimates the statistics of batch normalizations that stay behind quantized
convolutions. Here normalizations are folded, so the affine that new statistics amount to,
``y' = (deviation / deviation_q) (y_q - mean_q) + mean``, is folded too: the factor into the scale of the channel's weights, the rest into the
bias. The codes stay. Both are exact and cost the hardware nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, out_axis
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.correct.biases import held, with_bias
from hwsim.quantization.correct.walk import Statistics, layer_by_layer
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ReestimateNorms:
    """Re-estimate the normalization of every layer that had one (attribute ``normal``), in the order of execution.

    Where output channels share a weight scale (per tensor), or scales are powers of two, there is no place for a factor: only the mean
    is restored, which is the empirical bias correction of that layer. A channel that quantization made constant has no deviation
    to restore; it keeps its scale.

    Raises:
        HwsimError: (when called) no grids yet, no images, a bias that its codes cannot hold.
    """

    def __call__(self, state: State) -> State:
        """Return the state with other weight scales and biases."""
        if not state.graph.is_quantized:
            raise HwsimError("norm re-estimation: the network has no grids yet; SetGrids comes first")

        def correct(graph: Graph, node: Node, wanted: Statistics, found: Statistics) -> Graph:
            if node.attributes.get("normal") is None:
                return graph
            return _reestimated(graph, node, wanted, found, rescale=not state.scheme.power_of_two)

        graph = layer_by_layer(state, "norm re-estimation", correct)
        missing = all(node.attributes.get("normal") is None for node in graph.nodes)
        note = "norm re-estimation: no layer of this network had a normalization; nothing was changed"
        return state.with_(graph=graph, note=note if missing else None)


def _reestimated(graph: Graph, node: Node, wanted: Statistics, found: Statistics, *, rescale: bool) -> Graph:
    weight, bias = graph.tensors[node.inputs[1]], held(graph, node)
    assert weight.quant is not None
    factor = np.ones_like(found.mean)
    np.divide(wanted.variance, found.variance, out=factor, where=(found.variance > 0) & (wanted.variance > 0))
    factor = np.sqrt(factor)
    scaled = scaled_by_channel(weight.quant, weight.shape, out_axis(node, weight), factor) if rescale else None
    if scaled is None:
        factor = np.ones_like(factor)
    else:
        factor = scaled[1]
        graph = graph.with_changes(tensors=[replace(weight, codes=weight.encoded(), quant=scaled[0])])
    return with_bias(graph, node, wanted.mean - factor * (found.mean - bias))


def scaled_by_channel(
    grid: QuantParams, shape: tuple[int, ...], axis: int | None, factor: np.ndarray
) -> tuple[QuantParams, np.ndarray] | None:
    """Return the grid with the scales of every output channel multiplied, and the factors as float32 scales realize them.

    None where output channels share scales.

    Args:
        grid: of a weight.
        shape: of the weight.
        axis: its output channels.
        factor: float64 ``[channels]``.
    """
    how = grid.granularity
    if axis is None or how.axis is None or grid.scale is None:
        return None
    before = np.array(grid.scale, dtype=np.float64)
    if how.groups is not None:
        if how.by != axis:
            return None
        along = np.repeat(factor, how.group_count)
    elif how.block is not None:
        if how.axis == axis:
            return None
        blocks = how.scale_shape(shape)
        one = [factor.size if each == axis else 1 for each in range(len(shape))]
        along = np.broadcast_to(factor.reshape(one), blocks).reshape(-1)
    elif how.axis == axis:
        along = factor
    else:
        return None
    after = (before * along).astype(np.float32).astype(np.float64)
    realized = factor if after.size != factor.size else after / before
    return replace(grid, scale=tuple(after.tolist())), realized
