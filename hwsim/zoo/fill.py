"""Draw the weights of a skeleton, layer by layer, so that activations keep their size through the depth.

Data-dependent initialization after P. Kraehenbuehl, C. Doersch, J. Donahue and T. Darrell (ICLR 2016,
arXiv 1511.06856) and the layer-sequential unit variance of D. Mishkin and J. Matas (arXiv 1511.06422): a few images
pass through the network; where a batch normalization follows, it receives the measured mean and variance, where
none does, the layer is scaled to unit spread and its bias centres each channel about a small random offset.

Measured values are kept to 16 significant bits of a float64 pass, so that another BLAS draws the same network.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.zoo import draw, layers
from hwsim.zoo.legacy import Skeleton, attributes

if TYPE_CHECKING:
    from onnx import NodeProto

_BITS = 16


def fill(name: str, graph: Skeleton, images: np.ndarray, seed: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return the float32 weights by tensor name, and the standard deviation of every tensor of the data pass.

    Args:
        name: of the topology; part of every tensor's random stream.
        graph: the network, its weights missing.
        images: float32 [n, c, h, w], at least two.
        seed: of the weights.
    """
    state = _Pass(name, graph, seed)
    values: dict[str, np.ndarray] = {graph.input_name: images.astype(np.float64)}
    pending = Counter(tensor for node in graph.nodes for tensor in node.input)
    spread: dict[str, float] = {}
    for node in graph.nodes:
        result = state.run(node, values)
        values[node.output[0]] = result
        spread[node.output[0]] = float(result.std())
        for tensor in node.input:
            pending[tensor] -= 1
            if not pending[tensor]:
                values.pop(tensor, None)
    return state.weights, spread


def keep_bits(x: np.ndarray) -> np.ndarray:
    """Round to 16 significant bits.

    >>> float(keep_bits(np.array(1 + 2.0**-20)))
    1.0
    """
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(mantissa, _BITS)), exponent - _BITS)


class _Pass:
    """One data pass: draws the weights of a node just before it runs."""

    def __init__(self, name: str, graph: Skeleton, seed: int):
        self.name, self.graph, self.seed = name, graph, seed
        self.weights: dict[str, np.ndarray] = {}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in graph.nodes:
            for tensor in node.input:
                self.readers.setdefault(tensor, []).append(node)

    def run(self, node: NodeProto, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the float64 output of ``node``."""
        values_of = attributes(node)
        if node.op_type in ("Conv", "Gemm"):
            return self._affine(node, values[node.input[0]], values_of)
        if node.op_type == "BatchNormalization":
            return self._normalize(node, values[node.input[0]], values_of.get("epsilon", 1e-5))
        if node.op_type == "Unsqueeze":
            return self._scale_or_offset(node)
        inputs = [values[tensor] for tensor in node.input if tensor not in self.graph.integers]
        if node.op_type == "Reshape":
            target = [d or inputs[0].shape[0] for d in self.graph.integers[node.input[1]].tolist()]
            return inputs[0].reshape(target)
        return _plain(node.op_type, inputs, values_of)

    def _stream(self, tensor: str) -> np.random.Generator:
        return draw.stream(self.seed, self.name, tensor)

    def _affine(self, node: NodeProto, x: np.ndarray, values_of: dict[str, Any]) -> np.ndarray:
        """Convolution or fully connected layer; scaled and centred here unless a batch normalization does it."""
        tensor = node.input[1]
        shape = self.graph.shapes[tensor]
        weight = self.weights[tensor] = draw.filters(shape, math.prod(shape[1:]), self._stream(tensor))
        y = layers.conv(x, weight, values_of) if node.op_type == "Conv" else layers.linear(x, weight)
        if len(node.input) == 2:
            return y
        offset = draw.beta(shape[0], self._stream(node.input[2])).astype(np.float64)
        if not self._feeds_normalization(node):
            mean, variance = _moments(y)
            scale = np.float32(keep_bits(1 / np.sqrt(np.mean(variance))))
            weight *= scale
            y *= float(scale)
            offset = offset - mean * float(scale)
        bias = self.weights[node.input[2]] = keep_bits(offset).astype(np.float32)
        return y + layers.channels_first(bias.astype(np.float64), y.ndim)

    def _normalize(self, node: NodeProto, x: np.ndarray, epsilon: float) -> np.ndarray:
        """Batch normalization by the statistics of this pass."""
        channels = x.shape[1]
        _, scale, bias, mean, variance = node.input
        plain = self._is_followed_by_scale(node)
        self.weights[scale] = np.ones(channels, np.float32) if plain else draw.gamma(channels, self._stream(scale))
        self.weights[bias] = np.zeros(channels, np.float32) if plain else draw.beta(channels, self._stream(bias))
        for tensor, measured in zip((mean, variance), _moments(x), strict=True):
            self.weights[tensor] = keep_bits(measured).astype(np.float32)
        s, b, m, v = (layers.channels_first(self.weights[t].astype(np.float64), x.ndim) for t in node.input[1:])
        return np.asarray((x - m) * (s / np.sqrt(v + epsilon)) + b)

    def _scale_or_offset(self, node: NodeProto) -> np.ndarray:
        """The legacy pair: a parameter [c] made [c, 1, 1] for the Mul (gamma) or the Add (beta) that reads it."""
        tensor = node.input[0]
        (reader,) = self.readers[node.output[0]]
        kind = draw.gamma if reader.op_type == "Mul" else draw.beta
        self.weights[tensor] = kind(self.graph.shapes[tensor][0], self._stream(tensor))
        return self.weights[tensor].astype(np.float64)[:, None, None]

    def _feeds_normalization(self, node: NodeProto) -> bool:
        return any(reader.op_type == "BatchNormalization" for reader in self.readers.get(node.output[0], ()))

    def _is_followed_by_scale(self, node: NodeProto) -> bool:
        return any(reader.op_type == "Mul" for reader in self.readers.get(node.output[0], ()))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and unbiased variance per channel (axis 1), the variance at least a thousandth of the average one."""
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    variance = x.var(axis=axes, ddof=1)
    return x.mean(axis=axes), np.maximum(variance, max(1e-3 * float(variance.mean()), 1e-12))


def _plain(kind: str, inputs: list[np.ndarray], values_of: dict[str, Any]) -> np.ndarray:
    """Return an operator without parameters."""
    x = inputs[0]
    match kind:
        case "Relu":
            return np.maximum(x, 0)
        case "Add" | "Sum":
            return np.asarray(sum(inputs[1:], x))
        case "Mul":
            return x * inputs[1]
        case "Concat":
            return np.concatenate(inputs, axis=values_of["axis"])
        case "Transpose":
            return x.transpose(values_of["perm"])
        case "MaxPool" | "AveragePool":
            return layers.pool(x, values_of, maximum=kind == "MaxPool")
        case "GlobalAveragePool":
            return x.mean((2, 3), keepdims=True)
        case "LRN":
            return layers.local_response(x, values_of)
        case "Softmax":
            powers = np.exp(x - x.max(1, keepdims=True))
            return np.asarray(powers / powers.sum(1, keepdims=True))
    raise AssertionError(f"hwsim.zoo.fill has no rule for {kind}")
