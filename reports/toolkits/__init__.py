"""The same methods in public toolkits, one file each; ``reports/ptq_toolkits.py`` runs them beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

MODELS = Path(__file__).resolve().parents[2] / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One network to be quantized.

    Args:
        network: name of a file of ``models``.
        algorithm: what is done beside setting ranges, ``none`` for nothing.
        ranges: how ranges are found.
        granularity: of the weights, ``tensor`` or ``channel``.
        weights: their format; ``int4n`` is narrow, without -8.
        iterations: of a learned rounding, per layer.
        seed: of what is drawn.
    """

    network: str
    algorithm: str
    ranges: str
    granularity: str
    weights: str
    iterations: int
    seed: int

    @property
    def bits(self) -> int:
        """Return how many bits a weight has; activations have 8."""
        return int(self.weights.removeprefix("int").removesuffix("n"))

    @property
    def path(self) -> Path:
        """Return the ONNX file, batch normalizations unfolded."""
        return MODELS / f"{self.network}.onnx"


def batches(image: np.ndarray, size: int = 32) -> list[np.ndarray]:
    """Return images in batches."""
    return [image[start : start + size] for start in range(0, len(image), size)]
