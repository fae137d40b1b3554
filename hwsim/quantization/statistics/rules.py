"""What an operator makes of moments: a rule ``(node, operands) -> results`` per kind of operator, None where nothing is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.graph import OPS, Node, Work
from hwsim.quantization.statistics.moments import Moments

Rule = Callable[[Node, list[Moments]], list[Moments] | None]
POINTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(33)
SAMPLES = 65  # of a function between the ends of a range
BOUNDS = {"Softmax": (0.0, 1.0), "Sigmoid": (0.0, 1.0), "HardSigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0)}
"""Ends of what an operator makes of anything."""


def rule_for(node: Node) -> Rule:
    """Return the rule of a node's operator."""
    if node.op in _RULES:
        return _RULES[node.op]
    spec = OPS[node.op]
    if spec.work is Work.MOVE and (node.op != "Pad" or node.attributes["value"] == 0) and node.op != "Reinterpret":
        return _alike
    if spec.work is Work.TABLE and node.op not in ("Quantize", "MultiThreshold"):
        return _pointwise
    return _unknown


def bounded(node: Node, shape: tuple[int, ...]) -> list[Moments] | None:
    """Return what is known of results of this shape whatever the operator reads: ends by its definition, None without any."""
    if node.op not in BOUNDS:
        return None
    low, high = BOUNDS[node.op]
    return [Moments(mean=None, variance=None, low=np.full(shape, low), high=np.full(shape, high))]


def _unknown(node: Node, operands: list[Moments]) -> None:
    return None


def _product(node: Node, operands: list[Moments]) -> list[Moments] | None:
    """A constant matrix: the mean goes through it, variances through its squares; the sum is taken as normal."""
    x, weight, *bias = operands
    if x.mean is None or x.variance is None or weight.mean is None or weight.variance is None or weight.variance.any():
        return None
    mean = _run(node, [x.mean, weight.mean, *(each.mean for each in bias if each.mean is not None)])[0]
    variance = _run(node, [x.variance, np.square(weight.mean)])[0]
    return [Moments.normal(mean, np.maximum(variance, 0.0))]


def _sum(node: Node, operands: list[Moments]) -> list[Moments]:
    signs = [1.0, -1.0] if node.op == "Sub" else [1.0] * len(operands)
    pairs = list(zip(operands, signs, strict=True))
    low = sum((each.low if sign > 0 else -each.high for each, sign in pairs), np.zeros(()))
    high = sum((each.high if sign > 0 else -each.low for each, sign in pairs), np.zeros(()))
    means = [sign * each.mean for each, sign in pairs if each.mean is not None]
    variances = [each.variance for each in operands if each.variance is not None]
    if len(variances) < len(operands):
        return [Moments(mean=None, variance=None, low=low, high=high)]
    found = Moments.normal(sum(means, np.zeros(())), sum(variances, np.zeros(())))
    return [
        Moments(
            mean=found.mean,
            variance=found.variance,
            low=np.maximum(low, found.low),
            high=np.minimum(high, found.high),
        )
    ]


def _times(node: Node, operands: list[Moments]) -> list[Moments]:
    first, second = operands
    corners = [a * b for a in (first.low, first.high) for b in (second.low, second.high)]
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    if first.mean is None or second.mean is None or first.variance is None or second.variance is None:
        return [Moments(mean=None, variance=None, low=low, high=high)]
    mean = first.mean * second.mean
    squares = (first.variance + first.mean**2) * (second.variance + second.mean**2)
    return [Moments(mean=mean, variance=np.maximum(squares - mean**2, 0.0), low=low, high=high)]


def _alike(node: Node, operands: list[Moments]) -> list[Moments]:
    """Operators that treat all elements alike and none apart: every field goes through the operator itself."""
    means = [each.mean for each in operands if each.mean is not None]
    variances = [each.variance for each in operands if each.variance is not None]
    ends = zip(*(_run(node, [getattr(each, end) for each in operands]) for end in ("low", "high")), strict=True)
    unknown = [None] * len(node.outputs)
    mean = _run(node, means) if len(means) == len(operands) else unknown
    variance = _run(node, variances) if len(variances) == len(operands) else unknown
    return [
        Moments(mean=m, variance=v, low=low, high=high) for m, v, (low, high) in zip(mean, variance, ends, strict=True)
    ]


def _gather(node: Node, operands: list[Moments]) -> list[Moments] | None:
    indices = operands[1].mean
    if indices is None:
        return None
    exact = indices.astype(np.int64)
    return _alike_with(node, operands[0], exact)


def _alike_with(node: Node, x: Moments, indices: np.ndarray) -> list[Moments]:
    def chosen(values: np.ndarray) -> np.ndarray:
        return FLOAT_OPS[node.op](node, [values, indices])[0]

    return [
        Moments(
            mean=None if x.mean is None else chosen(x.mean),
            variance=None if x.variance is None else chosen(x.variance),
            low=chosen(x.low),
            high=chosen(x.high),
        )
    ]


def _clip(node: Node, operands: list[Moments]) -> list[Moments]:
    ends = (0.0, None) if node.op == "Relu" else (node.attributes["minimum"], node.attributes["maximum"])
    return [operands[0].clamped(*ends)]


def _pointwise(node: Node, operands: list[Moments]) -> list[Moments]:
    """A function of one element: Gauss-Hermite quadrature for the moments, ``SAMPLES`` values between the ends for the range."""
    x = operands[0]
    low, high = np.full(x.low.shape, np.inf), np.full(x.low.shape, -np.inf)
    for share in np.linspace(0.0, 1.0, SAMPLES):
        value = _run(node, [x.low + share * (x.high - x.low)])[0]
        low, high = np.minimum(low, value), np.maximum(high, value)
    if x.mean is None or x.variance is None:
        return [Moments(mean=None, variance=None, low=low, high=high)]
    deviation, total = np.sqrt(x.variance), WEIGHTS.sum()
    values = [_run(node, [x.mean + point * deviation])[0] for point in POINTS]
    mean = sum((w * value for w, value in zip(WEIGHTS / total, values, strict=True)), np.zeros(()))
    second = sum((w * value**2 for w, value in zip(WEIGHTS / total, values, strict=True)), np.zeros(()))
    return [Moments(mean=mean, variance=np.maximum(second - mean**2, 0.0), low=low, high=high)]


def _run(node: Node, values: list[np.ndarray]) -> list[np.ndarray]:
    results = FLOAT_OPS[node.op](node, [np.ascontiguousarray(value, dtype=np.float32) for value in values])
    return [np.asarray(result, dtype=np.float64) for result in results]


_POOLS = ("MaxPool", "GlobalMaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean")
_RULES: dict[str, Rule] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "MatMul"), _product),
    **dict.fromkeys(("Add", "Sub", "Sum"), _sum),
    **dict.fromkeys((*_POOLS, "Concat"), _alike),
    **dict.fromkeys(("Relu", "Clip"), _clip),
    "Mul": _times,
    "Gather": _gather,
}
