"""How much each element of a scope's result matters to the network's: the diagonal of the Fisher information (BRECQ, eq. 10).

The gradient of the divergence between the network's result and the float network's, behind everything quantized so far, is
squared per image and element. Squares are divided by their mean, and 1 is added: an image on which both networks agree has
no gradient at all, yet should not be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.quantization.reconstruct.flow import CHUNK, Flow, computed
from hwsim.quantization.reconstruct.losses import kl
from hwsim.quantization.reconstruct.part import Part
from hwsim.quantization.reconstruct.scopes import Scope

if TYPE_CHECKING:
    import torch

FLOOR = 1.0


def fisher_weights(
    graph: Graph, flow: Flow, part: Part, later: Sequence[Scope], wanted: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return the weight of every element of a scope's results, by tensor name; all alike where the logits do not read them.

    Args:
        graph: the network; its scopes after this one are run in float.
        flow: the quantized activations before the scope.
        part: the scope as quantized so far.
        later: the scopes behind it.
        wanted: the logits of the float network ``[images, classes]``.

    Raises:
        HwsimError: a network whose first result is no table of logits.
    """
    import torch

    if wanted.ndim != 2:
        raise HwsimError(
            f"{graph.name}: Fisher weights need logits [images, classes], but {graph.outputs[0]!r} has {wanted.ndim} "
            'dimensions; choose loss = "mse"'
        )
    rest = [Part.real(graph, scope) for scope in later]
    gradients: dict[str, list[torch.Tensor]] = {name: [] for name in part.scope.outputs}
    for start in range(0, len(wanted), CHUNK):
        rows = slice(start, start + CHUNK)
        values = {name: value[rows] for name, value in flow.values.items()}
        with torch.no_grad():
            results = part({name: values[name] for name in part.scope.inputs})
        leaves = {name: value.requires_grad_() for name, value in results.items()}
        logits = _logits(graph, rest, {**values, **leaves})
        if not logits.requires_grad:  # known before the scope, or beside it
            return {
                name: torch.full_like(values, FLOOR) for name, values in computed(part, flow.inputs(part.scope)).items()
            }
        divergence = kl(logits, wanted[rows], None) * len(logits)  # the sum over images, whatever the chunk
        found = torch.autograd.grad(divergence, list(leaves.values()), allow_unused=True)
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True):
            gradients[name].append(torch.zeros_like(leaf) if gradient is None else gradient)
    return {name: _weights(torch.cat(parts).square()) for name, parts in gradients.items()}


def _logits(graph: Graph, rest: Sequence[Part], values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    known = dict(values)
    for part in rest:
        known.update(part({name: known[name] for name in part.scope.inputs}))
    return known[graph.outputs[0]]


def _weights(squares: torch.Tensor) -> torch.Tensor:
    mean = squares.mean()
    return squares / mean + FLOOR if mean > 0 else squares + FLOOR
