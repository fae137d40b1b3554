"""The one interface between the loop and what it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hwsim.graph import Tensor
from hwsim.quantization.reconstruct.fake_quantize import Quantizer

if TYPE_CHECKING:
    import torch


class Learned:
    """Some variables, what they make of the network while they are learned, and what is left of them afterwards.

    An object may stand for one weight, one activation grid, or several tensors that one variable binds together (a scale
    that leaves one tensor and enters another). It starts where the network stands, so that no step of the loop is a loss.

    Attributes:
        rate: the step size of Adam for its variables.
    """

    rate: float

    def variables(self) -> list[torch.Tensor]:
        """Return the leaf tensors that Adam changes."""
        raise NotImplementedError

    def constants(self) -> Mapping[str, torch.Tensor]:
        """Return the values that stand in for constants, differentiable in the variables, by tensor name."""
        return {}

    def quantizers(self) -> Mapping[str, Quantizer]:
        """Return the functions that stand in for the grids of activations, by tensor name."""
        return {}

    def penalty(self, progress: float) -> torch.Tensor | None:
        """Return what is added to the loss at ``progress`` (0 at the first step, 1 at the last), or None."""
        del progress
        return None

    def results(self) -> list[Tensor]:
        """Return the tensors of the graph as learned: codes, grids or real values, nothing soft."""
        raise NotImplementedError
