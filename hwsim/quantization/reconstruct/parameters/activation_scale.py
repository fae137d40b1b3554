"""The scale of an activation's grid, learned (LSQ: Esser et al. 2020, arXiv 1902.08153, eqs. 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.quantization.reconstruct.fake_quantize import Quantizer, has_even_steps, spread, straight_through
from hwsim.quantization.reconstruct.parameters.learned import Learned

if TYPE_CHECKING:
    import torch


class ActivationScale(Learned):
    """One factor per scale of an activation's integer grid; the zero points stay.

    The gradient of ``s (clip(round(x / s) + z) - z)`` in s is ``round(x / s) - x / s`` inside of the range and the end code
    outside; it is divided by ``sqrt(elements of an image * largest code)``, as the paper does. Learned is the factor on the
    calibrated scale, so that one rate serves scales of any size.
    """

    def __init__(self, tensor: Tensor, *, rate: float, power_of_two: bool = False, least: float = 0.0):
        """Start at the calibrated scale.

        Args:
            tensor: an activation on a calibrated grid of integers, rounded half to even.
            rate: of Adam, relative to the scale.
            power_of_two: round the scale itself to powers of two, forward.
            least: the smallest factor that is allowed (a bias in units of the scale has to fit its format).

        Raises:
            HwsimError: another kind of grid.
        """
        import torch

        if tensor.quant is None or not tensor.quant.is_calibrated or not has_even_steps(tensor.quant):
            raise HwsimError(
                f"activation scale: tensor {tensor.name!r} needs a calibrated grid of integers, rounded half to even"
            )
        self.tensor, self.rate, self.power_of_two, self.least = tensor, rate, power_of_two, least
        self.grid = tensor.quant
        number = self.grid.integers
        self.gradient = 1.0 / float(np.sqrt(tensor.size / max(tensor.shape[0], 1) * max(number.magnitude, 1)))
        self.factor = torch.ones(len(self.grid.zero_point), requires_grad=True)
        self.start = torch.from_numpy(self.grid.scales())

    def variables(self) -> list[torch.Tensor]:
        """Return the factors."""
        return [self.factor]

    def _scale(self) -> torch.Tensor:
        damped = straight_through(self.factor, self.factor * self.gradient)
        scale = self.start * damped.clamp(min=max(self.least, 1e-3))
        return straight_through(scale.log2().round().exp2(), scale) if self.power_of_two else scale

    def quantizers(self) -> Mapping[str, Quantizer]:
        """Return the quantizer with the scale as it stands."""
        return {self.tensor.name: self._quantize}

    def _quantize(self, x: torch.Tensor) -> torch.Tensor:
        number, grid = self.grid.integers, self.grid
        scale = self._scale()
        if grid.granularity.axis is not None:
            places = grid.granularity.spread(np.arange(scale.numel()), tuple(x.shape))
            scale = scale[places]
        zero_point = spread(grid, grid.zero_points(), x)
        steps = x / scale
        codes = straight_through(steps.round(), steps).clamp(number.minimum - zero_point, number.maximum - zero_point)
        return codes * scale

    def results(self) -> list[Tensor]:
        """Return the activation with its new scales."""
        scales = self._scale().detach().numpy().astype(np.float32)
        return [replace(self.tensor, quant=replace(self.grid, scale=tuple(float(scale) for scale in scales)))]
