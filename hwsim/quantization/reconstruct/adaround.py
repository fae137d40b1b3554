"""AdaRound: layer by layer, round every weight up or down so that the layer's result is kept (Nagel et al. 2020, arXiv 2004.10568)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from hwsim.graph import Graph
from hwsim.quantization.reconstruct.loop import Fit, reconstruct
from hwsim.quantization.reconstruct.parameters import Learned
from hwsim.quantization.reconstruct.parameters.adaround import Hardening, RoundedWeight
from hwsim.quantization.reconstruct.scopes import Scope, layers, weights_of
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaRound:
    """Choose the codes of all weights; grids stay as they are. ``state.losses`` gets ``adaround.nearest`` and ``adaround.loss``.

    Args:
        iterations: steps of Adam per layer. Together with the rate they say how far a choice can move: the paper's 10 000
            steps of 1e-3 go as far, and larger networks are worth them.
        rate: of Adam.
        batch: images per step.
        hardening: what drives the choice to one side.
    """

    only_chooses_codes: ClassVar[bool] = True
    iterations: int = 500
    rate: float = 2e-2
    batch: int = 32
    hardening: Hardening = field(default_factory=Hardening)

    def __call__(self, state: State) -> State:
        """Return the state with codes on its weights.

        Raises:
            HwsimError: as ``reconstruct``.
        """

        def parameters(graph: Graph, scope: Scope) -> Sequence[Learned]:
            return [
                RoundedWeight(tensor, rate=self.rate, hardening=self.hardening) for tensor in weights_of(graph, scope)
            ]

        fit = Fit(iterations=self.iterations, batch=self.batch)
        return reconstruct(state, name="adaround", scopes=layers, parameters=parameters, fit=fit, start_name="nearest")
