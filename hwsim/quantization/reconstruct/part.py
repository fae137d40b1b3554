"""A scope as a function of torch tensors: real, or with the grids of its tensors."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hwsim.graph import Graph, Tensor, passes_grid
from hwsim.quantization.reconstruct.fake_quantize import Quantizer, quantizer
from hwsim.quantization.reconstruct.operators import run_node
from hwsim.quantization.reconstruct.scopes import Scope

if TYPE_CHECKING:
    import torch

    from hwsim.quantization.reconstruct.parameters import Learned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A scope with the constants that it reads and the roundings of what it computes.

    Args:
        scope: its operators.
        constants: by tensor name.
        quantizers: by the name of the activation that they round.
    """

    scope: Scope
    constants: Mapping[str, torch.Tensor]
    quantizers: Mapping[str, Quantizer]

    @classmethod
    def real(cls, graph: Graph, scope: Scope) -> Part:
        """Return the scope in float32, grids ignored."""
        return cls(scope=scope, constants=_constants(graph, scope, quantized=False), quantizers={})

    @classmethod
    def quantized(cls, graph: Graph, scope: Scope, *, real: Container[str] = ()) -> Part:
        """Return the scope as its integers compute it, up to the rounding of a requantizer's multiplier.

        Args:
            graph: quantized and calibrated.
            scope: a part of it.
            real: names of activations that are not put on their grids.
        """
        found = {}
        for node in scope.nodes:
            for name in node.outputs:
                grid = graph.tensors[name].quant
                if grid is not None and not passes_grid(node) and name not in real:
                    found[name] = quantizer(grid)
        return cls(scope=scope, constants=_constants(graph, scope, quantized=True), quantizers=found)

    def __call__(self, inputs: Mapping[str, torch.Tensor], learned: Iterable[Learned] = ()) -> dict[str, torch.Tensor]:
        """Return the results of the scope by name, with what is ``learned`` in the place of constants and roundings."""
        values, quantizers = {**self.constants, **inputs}, dict(self.quantizers)
        for parameter in learned:
            values.update(parameter.constants())
            quantizers.update(parameter.quantizers())
        for node in self.scope.nodes:
            results = run_node(node, [values[name] for name in node.inputs if name])
            for name, value in zip(node.outputs, results, strict=True):
                values[name] = quantizers[name](value) if name in quantizers else value
        return {name: values[name] for name in self.scope.outputs}


def _constants(graph: Graph, scope: Scope, *, quantized: bool) -> dict[str, torch.Tensor]:
    names = {name for node in scope.nodes for name in node.inputs if name and graph.tensors[name].is_constant}
    return {name: _array(graph.tensors[name], quantized=quantized) for name in names}


def _array(tensor: Tensor, *, quantized: bool) -> torch.Tensor:
    import torch

    assert tensor.data is not None
    if quantized and tensor.quant is not None:
        return torch.from_numpy(np.array(tensor.quant.decode(tensor.encoded())))
    data = np.array(tensor.data)
    return torch.from_numpy(data.astype(np.float32) if np.issubdtype(data.dtype, np.floating) else data)
