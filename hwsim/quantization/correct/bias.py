"""Bias correction: quantized weights shift the mean of what they produce; the bias takes the shift back.

Nagel et al. 2019 (arXiv:1906.04721) and Nagel et al. 2021 (arXiv:2106.08295). Where a layer has a bias it costs the
hardware nothing. A layer without one gets one: a row of biases to store, load and add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import OPS, Graph, Node, Work
from hwsim.quantization.correct.biases import BIASED, held, is_correctable, with_bias, with_biases
from hwsim.quantization.correct.expectation import expected_shift, expected_values
from hwsim.quantization.correct.walk import Statistics, layer_by_layer
from hwsim.quantization.state import State

LOSSES = ("analytic_correction.before", "analytic_correction.after")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectBias:
    """Correct the bias of every convolution and Gemm with quantized weights; a note tells which products it leaves alone.

    Args:
        kind: ``empirical``, from calibration images: layer by layer in the order of execution ``b -= mean(y_q - y)`` over images
            and positions, ``y`` before its clamp, with all layers before quantized and corrected; what is left of the error of the
            mean is less than a step of the bias, on these images. ``analytic``, without images: ``b -= mean over positions of
            (W_q - W) * E[x]``, ``E[x]`` from normalizations (``expected_values``). It starts from the bias as trained, so that doing it
            twice changes nothing, and it replaces an earlier correction. A layer whose input nothing is known of keeps its
            bias, and a note says so. ``losses`` get the mean expected error of the results of corrected layers,
            ``analytic_correction.before`` and ``.after``, which rounds the bias.
        activations: of ``empirical``: whether activations are quantized too, as the machine computes them, or real.

    Raises:
        HwsimError: (when called) no grids yet; ``empirical`` without images; a corrected bias that its codes cannot hold.
    """

    kind: Literal["empirical", "analytic"] = "empirical"
    activations: bool = True

    def __post_init__(self) -> None:
        if self.kind not in ("empirical", "analytic"):
            raise HwsimError(f"bias correction: kind must be empirical or analytic, not {self.kind!r}")

    def __call__(self, state: State) -> State:
        """Return the state with other biases."""
        if not state.graph.is_quantized:
            raise HwsimError("bias correction: the network has no grids yet; SetGrids comes first")
        if self.kind == "analytic":
            return _analytic(state)
        graph = layer_by_layer(state, "empirical bias correction", _corrected, activations=self.activations)
        corrected = sum(is_correctable(graph, node) for node in graph.nodes)
        return state.with_(graph=graph, note=_left_alone(graph, corrected))


def _corrected(graph: Graph, node: Node, wanted: Statistics, found: Statistics) -> Graph:
    return with_bias(graph, node, held(graph, node) + wanted.mean - found.mean)


def _analytic(state: State) -> State:
    graph = with_biases(state.graph)
    expected = expected_values(graph, state.calibration)
    unknown: list[str] = []
    before: list[np.ndarray] = [np.zeros(0)]
    after: list[np.ndarray] = [np.zeros(0)]
    for node in graph.nodes:
        if not is_correctable(graph, node):
            continue
        mean = expected.get(node.inputs[0])
        if mean is None:
            unknown.append(node.name)
            continue
        trained = np.asarray(graph.tensors[node.inputs[2]].data, dtype=np.float64)
        shift = expected_shift(graph, node, mean)
        graph = with_bias(graph, node, trained - shift)
        before.append(np.abs(shift))
        after.append(np.abs(held(graph, node) - trained + shift))
    note = f"analytic bias correction: nothing is known of the inputs of {', '.join(unknown)}; they keep their biases"
    state = state.with_(note=_left_alone(graph, len(before) - 1))
    losses = {
        "analytic_correction.before": _mean(before),
        "analytic_correction.after": _mean(after),
    }
    return state.with_(graph=graph, note=note if unknown else None, losses=losses)


def _left_alone(graph: Graph, corrected: int) -> str | None:
    """Return how many products with constant weights have no bias that could be corrected, as a sentence; None without any."""
    products = [
        node for node in graph.nodes if OPS[node.op].work is Work.GEMM and graph.tensors[node.inputs[1]].is_constant
    ]
    left = [node for node in products if not is_correctable(graph, node)]
    if not left:
        return None
    reasons = ["MatMul has no bias"] if any(node.op not in BIASED for node in left) else []
    other = [node.name for node in left if node.op in BIASED]
    if other:
        reasons.append(f"{', '.join(other)}: no constant bias, or no calibrated grids")
    return (
        f"bias correction: {corrected} of {len(products)} products with constant weights were corrected; "
        f"{'; '.join(reasons)}"
    )


def _mean(parts: list[np.ndarray]) -> float:
    values = np.concatenate(parts)
    return float(values.mean()) if values.size else 0.0
