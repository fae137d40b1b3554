"""Second order: half the mean Hessian trace of a layer times the squared error of its weights.

HAWQ-V2 (Dong et al., arXiv:1911.03852, eq. 9), and the sensitivity (b) of mixed-precision language models for speech
(arXiv:2112.11438): ``Tr(H) / n * ||Q_b(W) - W||^2``, the trace by Hutchinson's matrix-free estimate, the mean of ``v' H v`` over
vectors v of random signs. Every layer's block is estimated from the same product ``H v``; what other layers add to it has mean
zero. The loss is the divergence from the float network's own predictions, so no labels are read. Weights only.
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
    """Return half the mean trace times the squared rounding error, of every knob at every width.

    Raises:
        HwsimError: PyTorch is not installed, no images, or results are allocated.
    """
    return second_order(variants, choices, images, seed, name="hessian", curvature=mean_traces)


def mean_traces(
    variants: Variants, choices: Choices, images: Images, seed: int, draws: int = DRAWS
) -> dict[Knob, np.ndarray]:
    """Return the Hessian's trace of each layer's weights divided by their number, estimated from ``draws`` vectors."""
    import torch

    random = torch.Generator().manual_seed(seed)
    with one_thread():
        weights = weights_of(variants, choices)
        leaves = list(weights.values())
        signs = [[_signs(leaf, random) for leaf in leaves] for _ in range(draws)]
        sums, rows = torch.zeros(len(leaves), dtype=torch.float64), 0
        for outputs in distributions(variants, weights, images):
            loss = torch.stack([(one.detach().exp() * (one.detach() - one)).sum() for one in outputs]).sum()
            rows += sum(len(one) for one in outputs)
            slopes = torch.autograd.grad(loss, leaves, create_graph=True)
            for vectors in signs:
                along = torch.stack([(g * v).sum() for g, v in zip(slopes, vectors, strict=True)]).sum()
                products = torch.autograd.grad(along, leaves, retain_graph=True)
                sums += torch.stack([(h * v).sum().double() for h, v in zip(products, vectors, strict=True)])
    counts = [rows * draws * leaf.numel() for leaf in leaves]
    per_weight = [np.array(float(total) / count) for total, count in zip(sums, counts, strict=True)]
    return dict(zip(weights, per_weight, strict=True))


def _signs(like: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    import torch

    return torch.randint(0, 2, like.shape, generator=random).to(like.dtype) * 2 - 1
