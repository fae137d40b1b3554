"""A tensor: an edge of the dataflow graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from hwsim.errors import GraphError
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensor:
    """A named array that flows between operators.

    Args:
        name: unique in its graph.
        shape: fixed sizes, outermost first; activations carry the batch in dimension 0.
        data: the constant value (weights, biases, shape arguments), or None for an activation.
        quant: the grid, or None while the tensor is real-valued.
        codes: a constant's integers where they came with the model; ``data`` then holds what they decode to. Of pruned
            weights: their integers, ``data`` then holds the weights before. Without them ``quant`` encodes ``data``.
        sparsity: the pattern that a constant weight's codes obey along k (of a convolution: along its input channels).
    """

    name: str
    shape: tuple[int, ...]
    data: np.ndarray | None = None
    quant: QuantParams | None = None
    codes: np.ndarray | None = None
    sparsity: Sparsity | None = None

    def __post_init__(self) -> None:
        if self.codes is not None and (self.quant is None or self.data is None):
            raise GraphError(f"tensor {self.name!r}: codes need a grid, and the real values that they stand for")

    @classmethod
    def of_codes(cls, name: str, codes: np.ndarray, quant: QuantParams) -> Tensor:
        """Return the constant whose integers a quantized model stores."""
        stored = codes.astype(quant.storage_dtype, copy=False)
        return cls(name=name, shape=stored.shape, data=quant.decode(stored), quant=quant, codes=stored)

    @property
    def is_constant(self) -> bool:
        """Whether the value is known before any input."""
        return self.data is not None

    def encoded(self) -> np.ndarray:
        """Return the codes of a constant with a grid: those that came with the model, else ``data`` encoded."""
        if self.data is None or self.quant is None:
            raise GraphError(f"tensor {self.name!r}: only a constant with a grid has codes before any input")
        return self.quant.encode(self.data) if self.codes is None else self.codes

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def bits(self) -> int:
        """Storage bits of one element: the grid's, or 32 while the tensor is real-valued."""
        return self.quant.format.bits if self.quant else 32
