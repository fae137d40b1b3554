"""How far a scope's result is from its target: ``(value, target, weight) -> scalar``.

``weight`` has the shape of the value, or is None; only ``mse`` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Loss = Callable[["torch.Tensor", "torch.Tensor", "torch.Tensor | None"], "torch.Tensor"]


def mse(value: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean of the squared differences, each times its weight."""
    squares = (value - target).square()
    return squares.mean() if weight is None else (squares * weight).mean()


def moments(value: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean over channels of ``|mean_f - mean_q| + |var_f - var_q|`` (Norm Tweaking, arXiv 2309.02784, eq. 2).

    Channels are dimension 1 of images and the last dimension of anything else.
    """
    del weight
    axis = 1 if value.ndim == 4 else value.ndim - 1
    others = [dim for dim in range(value.ndim) if dim != axis]
    means = (value.mean(dim=others) - target.mean(dim=others)).abs()
    variances = (value.var(dim=others, correction=0) - target.var(dim=others, correction=0)).abs()
    return (means + variances).mean()


def kl(value: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean Kullback-Leibler divergence of the softmax of ``value`` from that of ``target``, over the last axis."""
    del weight
    wanted = target.log_softmax(dim=-1)
    return (wanted.exp() * (wanted - value.log_softmax(dim=-1))).sum(dim=-1).mean()
