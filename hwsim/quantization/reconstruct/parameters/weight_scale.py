"""Learned clipping of weights (LWC of OmniQuant: Shao et al. 2024, arXiv 2308.13137, eq. 2).

Every scale has a range ``sigmoid(g) max(W) .. sigmoid(b) min(W)`` whose two fractions are learned; symmetric grids have one
fraction of ``max |W|``. Weights are rounded to the nearest code of the range as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.quantization.reconstruct.fake_quantize import has_even_steps, straight_through
from hwsim.quantization.reconstruct.parameters.learned import Learned
from hwsim.quantization.rounding.neighbours import approximated

if TYPE_CHECKING:
    import torch

WIDEST = 0.982  # sigmoid(4), where the published method starts
NARROWEST = 0.02


class ClippedWeight(Learned):
    """A constant on a grid of integers, one or two learned fractions per scale, for any granularity."""

    def __init__(self, tensor: Tensor, *, rate: float):
        """Start at the ranges of the calibrated grid, as far as they lie inside of what the weights span.

        Raises:
            HwsimError: another kind of grid, or a tensor without data.
        """
        import torch

        if (
            tensor.data is None
            or tensor.quant is None
            or not has_even_steps(tensor.quant)
            or tensor.quant.scale is None
        ):
            raise HwsimError(
                f"learned clipping: tensor {tensor.name!r} needs a calibrated grid of integers, rounded half to even"
            )
        self.tensor, self.rate, self.grid = tensor, rate, tensor.quant
        data = approximated(tensor)
        count = len(self.grid.zero_point)
        places = np.broadcast_to(self.grid.granularity.spread(np.arange(count), data.shape), data.shape)
        tops, bottoms = np.zeros(count, np.float32), np.zeros(count, np.float32)
        np.maximum.at(tops, places, data)
        np.minimum.at(bottoms, places, data)
        self.is_symmetric = self.grid.is_symmetric
        scales, zero_points, number = self.grid.scales(), self.grid.zero_points(), self.grid.integers
        if self.is_symmetric:
            tops = np.maximum(tops, -bottoms)
            bottoms = np.zeros_like(tops)
        tops, bottoms = np.maximum(tops, 1e-12), np.minimum(bottoms, -1e-12)
        self.data, self.places = torch.from_numpy(data), torch.from_numpy(places.astype(np.int64))
        self.tops, self.bottoms = torch.from_numpy(tops), torch.from_numpy(bottoms)
        self.high = _logit((number.maximum - zero_points) * scales / tops)
        self.low = _logit((number.minimum - zero_points) * scales / bottoms)

    def variables(self) -> list[torch.Tensor]:
        """Return the logits of the fractions."""
        return [self.high] if self.is_symmetric else [self.high, self.low]

    def _grid(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scale and zero point per scale, differentiable."""
        number = self.grid.integers
        high = self.high.sigmoid() * self.tops
        if self.is_symmetric:
            return high / max(number.maximum, 1), high.new_zeros(high.shape)
        low = self.low.sigmoid() * self.bottoms
        scale = (high - low) / max(number.levels - 1, 1)
        soft = number.minimum - low / scale
        return scale, straight_through(soft.round().clamp(number.minimum, number.maximum), soft)

    def constants(self) -> Mapping[str, torch.Tensor]:
        """Return the weight rounded on the range as it stands."""
        number = self.grid.integers
        scale, zero_point = (values[self.places] for values in self._grid())
        steps = self.data / scale
        codes = (straight_through(steps.round(), steps) + zero_point).clamp(number.minimum, number.maximum)
        return {self.tensor.name: (codes - zero_point) * scale}

    def results(self) -> list[Tensor]:
        """Return the constant with its new grid, rounded to nearest; pruned weights keep their 0."""
        scale, zero_point = (values.detach().numpy() for values in self._grid())
        grid = replace(
            self.grid,
            scale=tuple(float(value) for value in scale.astype(np.float32)),
            zero_point=tuple(int(value) for value in zero_point),
        )
        codes = None if self.tensor.sparsity is None else grid.encode(self.data.numpy())
        return [replace(self.tensor, quant=grid, codes=codes)]


def _logit(fraction: np.ndarray) -> torch.Tensor:
    import torch

    inside = np.clip(fraction.astype(np.float64), NARROWEST, WIDEST)
    return torch.from_numpy(np.log(inside / (1.0 - inside)).astype(np.float32)).requires_grad_()
