"""NUPES: layer by layer, learn the exponent of a grid of powers and the codes on it (Yvinec et al. 2023, arXiv 2308.05600)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hwsim.graph import Graph, Node
from hwsim.numerics.formats import LearnedTable
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.constants import WEIGHTED, bias_of
from hwsim.quantization.reconstruct.loop import Fit, reconstruct
from hwsim.quantization.reconstruct.parameters import Exponent, Learned
from hwsim.quantization.reconstruct.scopes import Scope, layers
from hwsim.quantization.state import State
from hwsim.quantization.weights import widened_for_bias


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnExponents:
    """Learn exponent and codes of every layer whose plan says ``power<bits>``; others stay as they are.

    Goes behind ``SetGrids``, whose searched exponents are the start; a layer that does not get better keeps its own.
    ``state.losses`` gets ``nupes.searched`` and ``nupes.loss``.

    Args:
        iterations: steps of Adam per layer.
        rate: of Adam, in steps of a uniform grid for weights, a quarter of it for exponents.
        batch: images per step.
    """

    iterations: int = 500
    rate: float = 2e-3
    batch: int = 32

    def __call__(self, state: State) -> State:
        """Return the state with other exponents and codes on its weights.

        Raises:
            HwsimError: as ``reconstruct``.
        """
        plan = state.scheme.plan

        def parameters(graph: Graph, scope: Scope) -> Sequence[Learned]:
            found: list[Learned] = []
            for node in scope.nodes:
                table = plan.for_layer(node.name).weights
                if node.op not in WEIGHTED or not isinstance(table, LearnedTable) or table.kind != "power":
                    continue
                weight = graph.tensors[node.inputs[1]]
                if weight.is_constant and weight.quant is not None and weight.quant.is_calibrated:
                    widened = partial(_widened, graph, node)
                    power_of_two = state.scheme.power_of_two
                    found.append(Exponent(weight, table, rate=self.rate, power_of_two=power_of_two, widened=widened))
            return found

        fit = Fit(iterations=self.iterations, batch=self.batch)
        return reconstruct(state, name="nupes", scopes=layers, parameters=parameters, fit=fit, start_name="searched")


def _widened(graph: Graph, node: Node, grid: QuantParams) -> QuantParams:
    bias, ifmap = bias_of(graph, node), graph.tensors[node.inputs[0]].quant
    return grid if bias is None or ifmap is None else widened_for_bias(ifmap, grid, bias)
