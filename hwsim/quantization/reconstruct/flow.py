"""The activations of all calibration images on their way through the network, scope by scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hwsim.graph import Graph
from hwsim.quantization.reconstruct.fake_quantize import quantizer
from hwsim.quantization.reconstruct.part import Part
from hwsim.quantization.reconstruct.scopes import Scope

if TYPE_CHECKING:
    import torch

CHUNK = 64  # images at a time


class Flow:
    """The tensors that scopes still need, and the network's results so far, of every image, in one arithmetic."""

    def __init__(self, inputs: Mapping[str, torch.Tensor], kept: Iterable[str]):
        self.values, self.kept = dict(inputs), frozenset(kept)

    @classmethod
    def of(cls, graph: Graph, images: Mapping[str, np.ndarray], *, quantized: bool) -> Flow:
        """Return the flow before the first scope: the network's inputs, on their grids if ``quantized``."""
        import torch

        values = {}
        for name in graph.inputs:
            value = torch.from_numpy(np.ascontiguousarray(images[name], dtype=np.float32))
            grid = graph.tensors[name].quant
            values[name] = quantizer(grid)(value) if quantized and grid is not None else value
        return cls(values, graph.outputs)

    def inputs(self, scope: Scope) -> dict[str, torch.Tensor]:
        """Return what the scope reads."""
        return {name: self.values[name] for name in scope.inputs}

    def advance(self, part: Part, later: Sequence[Scope]) -> None:
        """Compute the scope's results and forget what no ``later`` scope reads and the network does not return."""
        self.values.update(computed(part, self.inputs(part.scope)))
        needed = self.kept.union(*(scope.inputs for scope in later))
        self.values = {name: value for name, value in self.values.items() if name in needed}


def computed(part: Part, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a part's results on all images, without gradients and a chunk at a time."""
    import torch

    count = len(next(iter(inputs.values())))
    with torch.no_grad():
        chunks = [
            part({name: value[start : start + CHUNK] for name, value in inputs.items()})
            for start in range(0, count, CHUNK)
        ]
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in part.scope.outputs}
