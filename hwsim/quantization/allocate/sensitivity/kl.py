"""Divergence: KL(float || rounded) of the output distributions with one tensor rounded, everything else real.

The sensitivity (a) of mixed-precision language models for speech (Xu et al., arXiv:2112.11438). The float network's own
predictions are what is kept, so no labels are read. The distribution is the softmax over the last axis of each output, or the
output itself where the network ends in a softmax; a network without classes is better served by ``sqnr``.
"""

from __future__ import annotations

import numpy as np

from hwsim.graph import Graph
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import Images
from hwsim.quantization.allocate.sensitivity.outputs import Outputs, outputs_by_width
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable

UNIT = "nats"


def measure(variants: Variants, choices: Choices, images: Images, seed: int) -> WidthTable:
    """Return the mean divergence per distribution with one knob at each width."""
    del seed
    sums: dict[tuple[Knob, int], np.ndarray] = {}
    for knob, b, exact, rounded in outputs_by_width(variants, choices, images, "kl"):
        sums[knob, b] = sums.get((knob, b), 0) + divergences(variants.graph, exact, rounded)
    return WidthTable.of(choices, lambda knob, b: float(sums[knob, b][0] / sums[knob, b][1]), UNIT)


def loss(graph: Graph, exact: Outputs, rounded: Outputs) -> float:
    """Return the mean divergence of outputs."""
    total, count = divergences(graph, exact, rounded)
    return float(total / count)


def divergences(graph: Graph, exact: Outputs, rounded: Outputs) -> np.ndarray:
    """Return ``(sum of KL in nats, distributions)`` over all outputs."""
    found = np.zeros(2)
    for name in exact:
        p, q = (log_probabilities(graph, name, values[name]) for values in (exact, rounded))
        found += max(float((np.exp(p) * (p - q)).sum()), 0.0), len(p)
    return found


def log_probabilities(graph: Graph, name: str, values: np.ndarray) -> np.ndarray:
    """Return log probabilities ``[rows, classes]`` of an output: over its last axis, or all but dimension 0 where those are 1."""
    classes = next((size for size in reversed(values.shape[1:]) if size > 1), 1)
    rows = np.asarray(values, np.float64).reshape(-1, classes)
    producer = graph.producer_of.get(name)
    if producer is not None and producer.op == "Softmax":
        return np.log(np.maximum(rows, np.finfo(np.float32).tiny))
    shifted = rows - rows.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
