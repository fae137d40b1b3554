"""The exponent of a grid of powers, learned together with the weights on it (NUPES: Yvinec et al. 2023, arXiv 2308.05600).

With ``u = |w| / range`` and ``Q`` the largest code, ``q = round(Q u^a)`` and ``w^ = range (q / Q)^(1/a)``. The rounding passes gradients
straight through, which gives ``dw^/da = w^ / a ((Q u^a / q) ln u - ln (q / Q) / a)``, and 0 where q is 0: every term is bounded where a
power of 0 under automatic differentiation is not. Weights may move over the whole grid, not only up or down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.numerics.formats import Codebook, LearnedTable
from hwsim.numerics.formats.power import exponent_of
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.grid import symmetric_scales
from hwsim.quantization.reconstruct.fake_quantize import straight_through
from hwsim.quantization.reconstruct.parameters.straight_through import StraightThroughWeight
from hwsim.quantization.rounding.neighbours import kept
from hwsim.quantization.tables.exponent import powers, reachable
from hwsim.quantization.tables.scales import grid_end

if TYPE_CHECKING:
    import torch

UNIT = 0.25  # of the exponent, for one step of a weight: one rate serves both


def _as_it_is(grid: QuantParams) -> QuantParams:
    return grid


class Exponent(StraightThroughWeight):
    """A constant on a grid of powers whose exponent and codes are learned; the range of every scale stays.

    Exponents are hundredths within what the table can hold (``reachable``), so that what is learned is a table that the hardware
    decodes.
    """

    def __init__(
        self,
        tensor: Tensor,
        table: LearnedTable,
        *,
        rate: float,
        power_of_two: bool = False,
        widened: Callable[[QuantParams], QuantParams] = _as_it_is,
    ):
        """Start at the exponent of the tensor's grid, weights rounded to nearest.

        Args:
            tensor: a constant on a calibrated grid of powers.
            table: bits, decode bits and rounding of every exponent.
            rate: of Adam, in steps of the uniform grid of the same range, and in ``UNIT`` of the exponent.
            power_of_two: of the scales.
            widened: what a grid becomes so that a bias fits its units, as ``widened_for_bias``.

        Raises:
            HwsimError: a tensor without data or a calibrated grid, another kind of grid.
        """
        import torch

        super().__init__(tensor, rate=rate)
        book = self.grid.format
        if not isinstance(book, Codebook):
            raise HwsimError(f"exponent: tensor {tensor.name!r} is on {book}, not on a grid of powers such as power4")
        self.table, self.power_of_two, self.widened = table, power_of_two, widened
        self.first = round(100 * exponent_of(book))
        self.least, self.most = reachable(table, self.first)
        self.ranges = self.grid.scales().astype(np.float64) * grid_end(book)
        self.largest = (1 << (table.bits - 1)) - 1
        steps = self.grid.granularity.spread(self.ranges / self.largest, tensor.shape) * kept(tensor)
        self.step = torch.from_numpy(steps.astype(np.float32))
        self.tilt = torch.zeros((), requires_grad=True)
        self._grids = {self.first: self.grid}

    def variables(self) -> list[torch.Tensor]:
        """Return how far each weight moved, and how far the exponent did in ``UNIT``."""
        return [*super().variables(), self.tilt]

    def _hundredths(self) -> int:
        return int(min(max(round(self.first + 100 * UNIT * float(self.tilt.detach())), self.least), self.most))

    def _grid_at(self, hundredths: int) -> QuantParams:
        if hundredths not in self._grids:
            book = powers(self.table, hundredths)
            assert book is not None
            scales = symmetric_scales(self.ranges, grid_end(book), power_of_two=self.power_of_two)
            grid = replace(self.grid, format=book, scale=tuple(scales.tolist()))
            self._grids[hundredths] = self.widened(grid)
        return self._grids[hundredths]

    def constants(self) -> Mapping[str, torch.Tensor]:
        """Return the weight on the grid as it stands, with the gradients of the module's text."""
        hundredths, latent = self._hundredths(), self._latent()
        grid, real = self._grid_at(hundredths), latent.detach().numpy()
        codes = grid.encode(real)
        found = np.asarray(grid.decode(codes), dtype=np.float32)
        ends = grid.granularity.spread(grid.scales().astype(np.float64) * grid_end(grid.format), real.shape)
        slope = self._slope(real / ends, codes, found, hundredths / 100)
        limit = latent.new_tensor(np.broadcast_to(ends, real.shape))
        hard = straight_through(latent.new_tensor(found), latent.clamp(-limit, limit))
        moved = self.tilt - self.tilt.detach()  # 0, with the gradient of the exponent
        return {self.tensor.name: hard + UNIT * moved * latent.new_tensor(slope)}

    def _slope(self, ratio: np.ndarray, codes: np.ndarray, found: np.ndarray, exponent: float) -> np.ndarray:
        """Return ``dw^/da``, in the shape of the weight."""
        place = np.abs(codes.astype(np.int64) - self.largest) / self.largest
        u = np.clip(np.abs(ratio), np.finfo(np.float32).tiny, 1.0)
        alive = place > 0
        held = np.where(alive, place, 1.0)
        slope = found / exponent * (u**exponent / held * np.log(u) - np.log(held) / exponent)
        return np.where(alive, slope, 0.0).astype(np.float32)

    def results(self) -> list[Tensor]:
        """Return the constant with its codes, on the grid of the learned exponent."""
        grid = self._grid_at(self._hundredths())
        return [replace(self.tensor, quant=grid, codes=grid.encode(self._latent().detach().numpy()))]
