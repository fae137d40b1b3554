"""BRECQ: round the weights of a block together, then learn the scales of its activations (Li et al. 2021, arXiv 2102.05426)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from hwsim.graph import Graph, passes_grid
from hwsim.graph.fusion import bias_format
from hwsim.quantization.constants import WEIGHTED, bias_of, stood_for
from hwsim.quantization.reconstruct.fake_quantize import has_even_steps
from hwsim.quantization.reconstruct.loop import Fit, reconstruct
from hwsim.quantization.reconstruct.parameters import ActivationScale, Learned
from hwsim.quantization.reconstruct.parameters.adaround import Hardening, RoundedWeight
from hwsim.quantization.reconstruct.scopes import Scope, blocks, weights_of
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Brecq:
    """Choose the codes of all weights, block by block, and then the scales of activations.

    ``state.losses`` gets ``brecq.nearest`` and ``brecq.loss``, and of the second pass ``brecq_scales.start`` and
    ``brecq_scales.loss``.

    Args:
        iterations: steps of Adam per block, for the weights.
        rate: of Adam, for the weights.
        scale_iterations: steps per block for the activations' scales; 0 leaves them.
        scale_rate: of Adam, relative to the scale.
        batch: images per step.
        loss: ``fisher`` weighs squared differences by the diagonal of the Fisher information, ``mse`` does not.
        hardening: what drives the choice to one side.
    """

    only_chooses_codes: ClassVar[bool] = True  # and scales: neither tells the hardware anything
    iterations: int = 600
    rate: float = 2e-2
    scale_iterations: int = 300
    scale_rate: float = 1e-3
    batch: int = 32
    loss: Literal["fisher", "mse"] = "fisher"
    hardening: Hardening = field(default_factory=lambda: Hardening(decay="linear"))

    def __call__(self, state: State) -> State:
        """Return the state with codes on its weights and other scales on its activations.

        Raises:
            HwsimError: as ``reconstruct``; a network without logits under ``fisher``.
        """

        def weights(graph: Graph, scope: Scope) -> Sequence[Learned]:
            return [
                RoundedWeight(tensor, rate=self.rate, hardening=self.hardening) for tensor in weights_of(graph, scope)
            ]

        def scales(graph: Graph, scope: Scope) -> Sequence[Learned]:
            return activation_scales(graph, scope, rate=self.scale_rate, power_of_two=state.scheme.power_of_two)

        is_weighed = self.loss == "fisher"
        fit = Fit(iterations=self.iterations, batch=self.batch)
        rounded = reconstruct(
            state, name="brecq", scopes=blocks, parameters=weights, fit=fit, fisher=is_weighed, start_name="nearest"
        )
        if not self.scale_iterations:
            return rounded
        fit = Fit(iterations=self.scale_iterations, batch=self.batch)
        return reconstruct(rounded, name="brecq_scales", scopes=blocks, parameters=scales, fit=fit, fisher=is_weighed)


def activation_scales(graph: Graph, scope: Scope, *, rate: float, power_of_two: bool) -> list[Learned]:
    """Return a learned scale for every activation that a scope of products computes and puts on a grid of its own."""
    if not weights_of(graph, scope):
        return []
    tensors = [graph.tensors[name] for node in scope.nodes if not passes_grid(node) for name in node.outputs]
    return [
        ActivationScale(tensor, rate=rate, power_of_two=power_of_two, least=_least_factor(graph, tensor.name))
        for tensor in tensors
        if tensor.quant is not None and tensor.quant.is_calibrated and has_even_steps(tensor.quant)
    ]


def _least_factor(graph: Graph, activation: str) -> float:
    """Return how far the scale may shrink before a bias behind it, in units of the scale, leaves its format."""
    least = 0.0
    for node in graph.consumers_of[activation]:
        if passes_grid(node):
            least = max(least, *(_least_factor(graph, name) for name in node.outputs))
        bias = bias_of(graph, node) if node.op in WEIGHTED and node.inputs[0] == activation else None
        if bias is None or bias.data is None or bias.quant is None or bias.quant.scale is None:
            continue
        ifmap, weight = (graph.tensors[name].quant for name in node.inputs[:2])
        assert ifmap is not None
        assert weight is not None
        steps = np.abs(stood_for(bias)) / bias.quant.granularity.spread(bias.quant.scales(), bias.shape)
        least = max(least, 1.01 * float(steps.max(initial=0.0)) / bias_format(ifmap, weight).maximum)
    return least
