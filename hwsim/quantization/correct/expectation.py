"""The expectation of activations and of what an error of the weights makes of them (Nagel et al. 2019, arXiv:1906.04721)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.graph import Graph, Node
from hwsim.quantization.statistics import Moments, propagated


def expected_values(graph: Graph, images: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Return ``E[x]`` of every activation that statistics reach, float64 in the tensor's shape.

    A normalized channel of mean beta and deviation gamma has ``beta (1 - P(-beta / gamma)) + gamma p(-beta / gamma)`` behind a ReLU,
    and the clipped normal form of ``statistics.moments.clipped_normal`` behind any clamp; sums, pools and moves pass expectations on.

    Args:
        graph: prepared; nodes of normalizations carry ``normal``. Grids are ignored.
        images: of the network inputs, ``[images, ...]``; without them the expectation of an input is unknown.
    """
    given = {
        name: _of_images(np.asarray(array), graph.tensors[name].shape)
        for name, array in (images or {}).items()
        if name in graph.inputs
    }
    found = propagated(graph, given)
    return {name: moments.mean for name, moments in found.items() if moments.mean is not None}


def expected_shift(graph: Graph, node: Node, mean: np.ndarray) -> np.ndarray:
    """Return ``E[W_q x - W x]`` per output channel, averaged over positions: the error of the weights times ``E[x]``.

    Of a convolution without padding, and of inputs whose expectation is the same at all positions, it is the sum over the kernel
    ``sum (W_q - W) E[x]``; windows that reach over the border count the zeros there. A depthwise convolution multiplies channel by
    channel, as it does with values.

    Args:
        graph: quantized.
        node: a product with a constant weight.
        mean: ``E[x]`` in the shape of input 0.
    """
    weight = graph.tensors[node.inputs[1]]
    assert weight.quant is not None
    error = weight.quant.decode(weight.encoded()) - np.asarray(weight.data, dtype=np.float32)
    shift = FLOAT_OPS[node.op](node, [np.ascontiguousarray(mean, dtype=np.float32), error.astype(np.float32)])[0]
    channels = shift.ndim - 1 if node.op == "Gemm" else 1
    averaged: np.ndarray = shift.mean(
        axis=tuple(axis for axis in range(shift.ndim) if axis != channels), dtype=np.float64
    )
    return averaged


def _of_images(images: np.ndarray, shape: tuple[int, ...]) -> Moments:
    values = images.astype(np.float64)

    def spread(one: np.ndarray) -> np.ndarray:
        return np.broadcast_to(one, shape)

    return Moments(
        mean=spread(values.mean(axis=0)),
        variance=spread(values.var(axis=0)),
        low=spread(values.min(axis=0)),
        high=spread(values.max(axis=0)),
    )
