"""AdaRound: every weight learns whether it is rounded down or up (Nagel et al. 2020, arXiv 2004.10568, eqs. 21 to 24).

``W~ = low + h(V) (high - low)`` with ``h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1)``, where low and high are the values of the
format on either side of the weight. On integers this is the paper's ``s clip(floor(W / s) + h(V), n, p)``; tables and
floating point come with it. A weight that lies on a value, or beyond the ends, stays there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import cos, pi
from typing import TYPE_CHECKING, Literal

import numpy as np

from hwsim.graph import Tensor
from hwsim.quantization.reconstruct.parameters.learned import Learned
from hwsim.quantization.rounding.neighbours import neighbours, share_above

if TYPE_CHECKING:
    import torch

STRETCH, OFFSET = 1.2, -0.1  # zeta - gamma and gamma of the paper's rectified sigmoid


@dataclass(frozen=True, kw_only=True)
class Hardening:
    """The penalty ``strength * mean(1 - |2 h - 1|^beta)`` that drives every h to 0 or 1, and its schedule.

    Args:
        strength: in units of the loss at the start. The paper's ``lambda`` of a sum over weights is ``strength * loss /
            weights``, which keeps the balance of the two terms in networks of any size.
        first_beta: the exponent at the end of the warm-up; large: only what is near 0 or 1 is pulled.
        last_beta: the exponent at the end.
        decay: of beta in between, ``cosine`` (AdaRound) or ``linear`` (BRECQ).
        warm_up: the fraction of steps without the penalty.
    """

    strength: float = 3.0
    first_beta: float = 20.0
    last_beta: float = 2.0
    decay: Literal["cosine", "linear"] = "cosine"
    warm_up: float = 0.2

    def beta(self, progress: float) -> float | None:
        """Return the exponent at ``progress`` 0..1, None during the warm-up.

        >>> [Hardening(decay="linear").beta(progress) for progress in (0.1, 0.2, 0.6, 1.0)]
        [None, 20.0, 11.0, 2.0]
        """
        if progress < self.warm_up:
            return None
        done = (progress - self.warm_up) / (1.0 - self.warm_up)
        left = 1.0 - done if self.decay == "linear" else 0.5 * (1.0 + cos(pi * done))
        return self.last_beta + (self.first_beta - self.last_beta) * left


class RoundedWeight(Learned):
    """A constant whose codes are learned: ``floor`` or ``ceil`` of each weight."""

    def __init__(self, tensor: Tensor, *, rate: float, hardening: Hardening):
        """Start at ``h = (W - low) / (high - low)``, where ``W~ = W`` wherever it is not clipped.

        Raises:
            HwsimError: a tensor without data or a calibrated grid.
        """
        import torch

        self.tensor, self.rate, self.hardening = tensor, rate, hardening
        self.low_codes, self.high_codes = neighbours(tensor)
        assert tensor.quant is not None
        low, high = (tensor.quant.decode(codes) for codes in (self.low_codes, self.high_codes))
        self.low, self.gap = torch.from_numpy(low), torch.from_numpy(high - low)
        share = np.clip(share_above(tensor, self.low_codes, self.high_codes), 0.01, 0.99)
        inner = (share - OFFSET) / STRETCH
        self.v = torch.from_numpy(np.log(inner / (1.0 - inner)).astype(np.float32)).requires_grad_()

    def variables(self) -> list[torch.Tensor]:
        """Return V."""
        return [self.v]

    def _h(self) -> torch.Tensor:
        from torch.nn import functional

        return functional.hardtanh(self.v.sigmoid() * STRETCH + OFFSET, 0.0, 1.0)

    def constants(self) -> Mapping[str, torch.Tensor]:
        """Return the softly rounded weight."""
        return {self.tensor.name: self.low + self._h() * self.gap}

    def penalty(self, progress: float) -> torch.Tensor | None:
        """Return the regulariser of eq. 24."""
        beta = self.hardening.beta(progress)
        if beta is None:
            return None
        return self.hardening.strength * (1.0 - (2.0 * self._h() - 1.0).abs().pow(beta)).mean()

    def results(self) -> list[Tensor]:
        """Return the constant with its codes: up where V >= 0."""
        goes_up = self.v.detach().numpy() >= 0
        codes = np.where(goes_up, self.high_codes, self.low_codes).astype(self.low_codes.dtype)
        return [replace(self.tensor, codes=codes)]
