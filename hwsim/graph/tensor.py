"""A tensor: an edge of the dataflow graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from hwsim.numerics.quant_params import QuantParams


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensor:
    """A named array that flows between operators.

    Args:
        name: unique in its graph.
        shape: fixed sizes, outermost first; activations carry the batch in dimension 0.
        data: the constant value (weights, biases, shape arguments), or None for an activation.
        quant: the grid, or None while the tensor is real-valued.
    """

    name: str
    shape: tuple[int, ...]
    data: np.ndarray | None = None
    quant: QuantParams | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the value is known before any input."""
        return self.data is not None

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def bits(self) -> int:
        """Storage bits of one element: the grid's, or 32 while the tensor is real-valued."""
        return self.quant.format.bits if self.quant else 32
