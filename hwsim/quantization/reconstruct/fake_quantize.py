"""Quantization inside a differentiable network: rounded forward, the gradient passed straight through where nothing is clipped.

``x^ = scale * (clamp(round(x / scale) + z) - z)``, whose gradient is taken for 1 inside of the range and 0 outside (Nagel et
al. 2021, section 4.1: the straight-through estimator).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding

if TYPE_CHECKING:
    import torch

Quantizer = Callable[["torch.Tensor"], "torch.Tensor"]


def straight_through(hard: torch.Tensor, soft: torch.Tensor) -> torch.Tensor:
    """Return the value of ``hard`` with the gradient of ``soft``."""
    return soft + (hard - soft).detach()


def quantizer(grid: QuantParams) -> Quantizer:
    """Return the function that rounds a real tensor to a calibrated grid of any format and granularity.

    Raises:
        HwsimError: a grid without scales, or one whose zero point each inference finds.
    """
    ends = [float(end * grid.format.unit) for end in grid.format.operand_range]
    scales, zero_points = grid.scales().astype(np.float64), grid.zero_points()
    lows, highs = ((end - zero_points) * scales for end in ends)

    def quantize(x: torch.Tensor) -> torch.Tensor:
        low, high, scale = (spread(grid, values, x) for values in (lows, highs, scales))
        inside = x.clamp(low, high)
        hard = (inside / scale).round() * scale if has_even_steps(grid) else _rounded_by_code(grid, inside)
        return straight_through(hard, inside)

    return quantize


def spread(grid: QuantParams, values: np.ndarray, x: torch.Tensor) -> torch.Tensor:
    """Return ``values`` (one per scale) so that they broadcast against ``x``."""
    return x.new_tensor(grid.granularity.spread(values, tuple(x.shape)))


def has_even_steps(grid: QuantParams) -> bool:
    """Whether a code is ``round(x / scale) + z`` to the nearest even integer, which needs no look at the format."""
    return (
        isinstance(grid.format, IntFormat)
        and grid.rounding is Rounding.HALF_EVEN
        and grid.order is QuantOrder.ROUND_THEN_OFFSET
    )


def _rounded_by_code(grid: QuantParams, x: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.from_numpy(grid.decode(grid.encode(x.detach().numpy())))
