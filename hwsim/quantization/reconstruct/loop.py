"""The one reconstruction loop: learn some parameters of each scope until its result is that of the float network.

Scopes are taken in the order of the data. The input of each is what the network computes up to there with everything
quantized as learned so far (``x^`` of AdaRound, eq. 25); its target is the float network's result on the same images. Only
the scope itself is differentiated, so that memory and time are those of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.quantization.reconstruct.fisher import fisher_weights
from hwsim.quantization.reconstruct.flow import Flow, computed
from hwsim.quantization.reconstruct.losses import Loss, mse
from hwsim.quantization.reconstruct.parameters import Learned
from hwsim.quantization.reconstruct.part import Part
from hwsim.quantization.reconstruct.results import with_results
from hwsim.quantization.reconstruct.scopes import Scope
from hwsim.quantization.reconstruct.session import need_torch, one_thread
from hwsim.quantization.state import State

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How long a scope is learned.

    Args:
        iterations: steps of Adam.
        batch: images per step, drawn without regard to earlier steps.

    Raises:
        HwsimError: fewer than one of either.
    """

    iterations: int
    batch: int = 32

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.batch < 1:
            raise HwsimError(
                f"reconstruction: iterations and batch must be 1 or more, not {self.iterations} and {self.batch}"
            )


def reconstruct(
    state: State,
    *,
    name: str,
    scopes: Callable[[Graph], Sequence[Scope]],
    parameters: Callable[[Graph, Scope], Sequence[Learned]],
    fit: Fit,
    loss: Loss = mse,
    fisher: bool = False,
    start_name: str = "start",
) -> State:
    """Return the state with every scope's parameters learned; a scope that did not get better stays as it was.

    Args:
        state: a quantized, calibrated network with calibration images.
        name: of the step, for errors and for ``state.losses``: ``name.loss`` is the loss afterwards, summed over scopes,
            with the codes and grids as they are executed.
        scopes: cuts the network; every operator is in one scope, and scopes come in the order of the data.
        parameters: of a scope; none leaves it as it is.
        fit: how long.
        loss: between a scope's result and the float network's. A result whose grid is not itself learned is compared
            before it is put on its grid.
        fisher: weigh the squared differences by the Fisher information (``fisher_weights``).
        start_name: ``name.start_name`` is the loss of the same scopes, on the same data, as they were.

    Raises:
        HwsimError: no PyTorch, no images, no grids, an operator without a derivative.
    """
    need_torch(name)
    import torch

    original = graph = state.graph
    images = state.images(name)
    if not graph.is_quantized:
        raise HwsimError(f"{name}: {graph.name} has no grids yet; set grids before reconstruction")
    cut = scopes(graph)
    generator = torch.Generator().manual_seed(state.seed)
    totals = [0.0, 0.0]
    with one_thread():
        floats = Flow.of(original, images, quantized=False)
        codes = Flow.of(original, images, quantized=True)
        logits = _float_logits(original, images, cut) if fisher else None
        for index, scope in enumerate(cut):
            later, real = cut[index + 1 :], Part.real(original, scope)
            learned = list(parameters(graph, scope))
            if learned:
                targets, inputs = computed(real, floats.inputs(scope)), codes.inputs(scope)
                before = _part(graph, scope, learned)
                weights = {} if logits is None else fisher_weights(original, codes, before, later, logits)
                objective = _Objective(loss=loss, targets=targets, weights=weights)
                start = objective.of_all(computed(before, inputs))
                if start > 0.0:
                    _learn(before, learned, inputs, objective, fit, start, generator)
                candidate = with_results(graph, learned)
                end = objective.of_all(computed(_part(candidate, scope, learned), inputs))
                graph, end = (candidate, end) if end < start else (graph, start)
                totals = [totals[0] + start, totals[1] + end]
            floats.advance(real, later)
            codes.advance(Part.quantized(graph, scope), later)
    return state.with_(graph=graph, losses={f"{name}.{start_name}": totals[0], f"{name}.loss": totals[1]})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Objective:
    """A loss with its targets and weights, of all images."""

    loss: Loss
    targets: Tensors
    weights: Tensors

    def __call__(self, values: Tensors, rows: torch.Tensor | slice) -> torch.Tensor:
        terms = [
            self.loss(value, self.targets[name][rows], self.weights[name][rows] if name in self.weights else None)
            for name, value in values.items()
        ]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    def of_all(self, values: Tensors) -> float:
        return float(self(values, slice(None)))


def _part(graph: Graph, scope: Scope, learned: Sequence[Learned]) -> Part:
    """Return the quantized scope; of its results only those whose grids are learned are on them."""
    rounded = {name for parameter in learned for name in parameter.quantizers()}
    return Part.quantized(graph, scope, real=set(scope.outputs) - rounded)


def _learn(
    part: Part,
    learned: Sequence[Learned],
    inputs: Tensors,
    objective: _Objective,
    fit: Fit,
    start: float,
    generator: torch.Generator,
) -> None:
    """Change the variables of ``learned``; the loss is divided by that of the ``start``, so that penalties weigh alike everywhere."""
    import torch

    groups = [{"params": parameter.variables(), "lr": parameter.rate} for parameter in learned]
    optimizer = torch.optim.Adam(groups, fused=True)
    count = len(next(iter(inputs.values())))
    for step in range(fit.iterations):
        rows = torch.randint(count, (min(fit.batch, count),), generator=generator)
        batch = {name: value.index_select(0, rows) for name, value in inputs.items()}
        total = objective(part(batch, learned), rows) / start
        penalties = [parameter.penalty(step / max(fit.iterations - 1, 1)) for parameter in learned]
        for penalty in penalties:
            total = total if penalty is None else total + penalty
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


def _float_logits(graph: Graph, images: Mapping, cut: Sequence[Scope]) -> torch.Tensor:
    """Return the first result of the float network on all images."""
    flow = Flow.of(graph, images, quantized=False)
    for index, scope in enumerate(cut):
        flow.advance(Part.real(graph, scope), cut[index + 1 :])
    return flow.values[graph.outputs[0]]
