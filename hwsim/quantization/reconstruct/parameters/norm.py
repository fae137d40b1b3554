"""A real-valued constant, learned as it is: gamma and beta of a LayerNormalization (Norm Tweaking, arXiv 2309.02784)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.quantization.reconstruct.parameters.learned import Learned

if TYPE_CHECKING:
    import torch


class RealConstant(Learned):
    """A constant without a grid, whose data are learned."""

    def __init__(self, tensor: Tensor, *, rate: float):
        """Start at the data; raise HwsimError where the tensor has none, or has codes that would not follow."""
        import torch

        if tensor.data is None or tensor.quant is not None:
            raise HwsimError(f"norm: tensor {tensor.name!r} must be a constant without a grid, as gamma and beta are")
        self.tensor, self.rate = tensor, rate
        self.values = torch.from_numpy(np.array(tensor.data, dtype=np.float32)).requires_grad_()

    def variables(self) -> list[torch.Tensor]:
        """Return the values."""
        return [self.values]

    def constants(self) -> Mapping[str, torch.Tensor]:
        """Return the values."""
        return {self.tensor.name: self.values}

    def results(self) -> list[Tensor]:
        """Return the constant with its new data."""
        return [replace(self.tensor, data=self.values.detach().numpy().copy())]
