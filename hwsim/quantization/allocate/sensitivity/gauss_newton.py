"""Second order per weight: half the Gauss-Newton diagonal times the squared error of each weight.

``sum_i F_ii (Q_b(W) - W)_i^2 / 2`` with the Fisher information of the float network's own predictions,
``F_ii = E[(d log p(y) / d w_i)^2]``, y drawn from p: no labels are read. Images of one backward pass carry random signs, so that
the square of their sum has the sum of their squares as its mean. Weights only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import Images
from hwsim.quantization.allocate.sensitivity.gradients import DRAWS, distributions, second_order, weights_of
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable
from hwsim.quantization.reconstruct.session import one_thread

if TYPE_CHECKING:
    import torch


def measure(variants: Variants, choices: Choices, images: Images, seed: int) -> WidthTable:
    """Return half the diagonal times the squared rounding error, of every knob at every width.

    Raises:
        HwsimError: PyTorch is not installed, no images, or results are allocated.
    """
    return second_order(variants, choices, images, seed, name="gauss_newton", curvature=fisher_diagonal)


def fisher_diagonal(
    variants: Variants, choices: Choices, images: Images, seed: int, draws: int = DRAWS
) -> dict[Knob, np.ndarray]:
    """Return ``F_ii`` of every weight, averaged over distributions and estimated from ``draws`` labels of each."""
    import torch

    random = torch.Generator().manual_seed(seed)
    with one_thread():
        weights = weights_of(variants, choices)
        leaves = list(weights.values())
        squares, rows = [torch.zeros(leaf.shape, dtype=torch.float64) for leaf in leaves], 0
        for outputs in distributions(variants, weights, images):
            rows += sum(len(one) for one in outputs)
            for _ in range(draws):
                total = torch.stack([_signed_log_likelihood(one, random) for one in outputs]).sum()
                for square, slope in zip(squares, torch.autograd.grad(total, leaves, retain_graph=True), strict=True):
                    square += slope.double() ** 2
    return {knob: (square / (rows * draws)).numpy() for knob, square in zip(weights, squares, strict=True)}


def _signed_log_likelihood(log_probabilities: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    import torch

    labels = torch.multinomial(log_probabilities.detach().exp(), 1, generator=random)
    signs = torch.randint(0, 2, labels.shape, generator=random) * 2 - 1
    return (signs * log_probabilities.gather(1, labels)).sum()
