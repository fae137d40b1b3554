"""Weights that move over the whole grid: a real weight behind a rounding that the gradient ignores (QAT, one layer or all)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.quantization.reconstruct.fake_quantize import quantizer
from hwsim.quantization.reconstruct.parameters.learned import Learned
from hwsim.quantization.rounding.neighbours import approximated, kept

if TYPE_CHECKING:
    import torch


class StraightThroughWeight(Learned):
    """A constant whose codes are those of a real weight that is learned; its ``data`` stay what is approximated."""

    def __init__(self, tensor: Tensor, *, rate: float):
        """Start at the data.

        Args:
            tensor: a constant on a calibrated grid; pruned weights stay 0.
            rate: of Adam, in steps of the grid.

        Raises:
            HwsimError: a tensor without data or a calibrated grid.
        """
        import torch

        if tensor.data is None or tensor.quant is None or not tensor.quant.is_calibrated:
            raise HwsimError(
                f"weights: tensor {tensor.name!r} has no calibrated grid; set grids before learning on them"
            )
        self.tensor, self.rate, self.grid = tensor, rate, tensor.quant
        real = approximated(tensor)
        steps = np.abs(self.grid.granularity.spread(self.grid.scales(), real.shape)) * kept(tensor)
        self.start, self.step = torch.from_numpy(real), torch.from_numpy(steps.astype(np.float32))
        self.moved = torch.zeros_like(self.start, requires_grad=True)
        self.quantize = quantizer(self.grid)

    def variables(self) -> list[torch.Tensor]:
        """Return how far each weight moved, in steps of the grid."""
        return [self.moved]

    def _latent(self) -> torch.Tensor:
        return self.start + self.moved * self.step

    def constants(self) -> Mapping[str, torch.Tensor]:
        """Return the rounded weight."""
        return {self.tensor.name: self.quantize(self._latent())}

    def results(self) -> list[Tensor]:
        """Return the constant with its codes."""
        return [replace(self.tensor, codes=self.grid.encode(self._latent().detach().numpy()))]
