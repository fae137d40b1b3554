"""Smoothing (Xiao et al. 2023, SmoothQuant, arXiv 2211.10438): outliers of activations move into weights.

Channel j of a layer's input is divided by ``s_j = max|X_j| ** alpha / max|W_j| ** (1 - alpha)`` and its weights are multiplied by
it. The division goes into the producer: weights or the affine of a normalization, through ReLU and pooling. What else
reads the tensor, as the residual sum behind a normalization does, gets it back by an explicit multiplication, which hardware
pays for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph
from hwsim.quantization.calibrate import chunk_size
from hwsim.quantization.state import State
from hwsim.quantization.transforms.absorb import apply
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.region import Region, region_of
from hwsim.quantization.transforms.rules import EXACT, Kind
from hwsim.quantization.transforms.smooth_scales import (
    activation_peaks,
    output_error,
    products,
    smooth_scale,
    weight_peaks,
)

ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SEARCH_IMAGES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """Divide activations by a scale per channel that their weights take over.

    Args:
        alpha: how much of the difficulty moves to the weights, 0 to 1; ``search`` takes for every edge the one of a few values
            (no smoothing among them) with the least error of the layers behind it, on the grids of the scheme.
        layers: pattern of the layers whose inputs are smoothed.
        explicit: also where an explicit multiplication is left for other readers.

    Raises:
        HwsimError: alpha out of range.
    """

    alpha: float | Literal["search"] = 0.5
    layers: str = "*"
    explicit: bool = True

    def __post_init__(self) -> None:
        if self.alpha != "search" and not 0 <= self.alpha <= 1:
            raise HwsimError(f"smoothing: alpha must be 0 to 1 or 'search', not {self.alpha}")

    def __call__(self, state: State) -> State:
        """Return the state with the smoothed float graph."""
        images = state.images("smoothing")
        draft = Draft(state.graph)
        regions = list(self.regions(draft.graph))
        peaks, shown = _observed(draft.graph, regions, images)
        before = after = 0.0
        left = len(draft.nodes)
        for region in regions:
            names = [tensor for _, tensor in products(draft.graph, region)]
            activation = np.max([peaks[tensor] for tensor in names], axis=0)
            weight = weight_peaks(draft, region)
            if self.alpha == "search":
                scales = [np.ones(weight.size), *(smooth_scale(activation, weight, alpha) for alpha in ALPHAS)]
                errors = [output_error(draft, region, scale, shown, state.scheme) for scale in scales]
                scale = scales[int(np.argmin(errors))]
                before, after = before + errors[0], after + min(errors)
            else:
                scale = smooth_scale(activation, weight, self.alpha)
            if (scale != 1).any():
                apply(draft, region, EdgeTransform.of(scale.size, scale=scale))
        left = len(draft.nodes) - left
        note = f"smoothed {len(regions)} edges" + (f"; {left} multiplications stay explicit" if left else "")
        losses = {"smooth.unsmoothed": before, "smooth.error": after} if self.alpha == "search" else None
        return state.with_(graph=draft.finish(), note=note, losses=losses)

    def regions(self, graph: Graph) -> Iterator[Region]:
        """Yield the edges whose producers take the scale and that a chosen layer reads."""
        seen: set[str] = set()
        for node in graph.nodes:
            for edge in node.outputs:
                if edge in seen or len(graph.tensors[edge].shape) < 2:
                    continue
                region = region_of(graph, edge, Kind.SCALE, reach=EXACT)
                seen |= region.tensors.keys()
                chosen = any(fnmatchcase(name, self.layers) for name, _ in products(graph, region))
                if chosen and not region.blocked_producers and (self.explicit or region.is_free):
                    yield region


def difficulty_gap(graph: Graph, images: Mapping[str, np.ndarray]) -> float:
    """Return how far ``max|X_j|`` and ``max|W_j|`` are apart: the mean square of their log ratio over channels of smoothable edges.

    Alpha 1/2 makes both their geometric mean, which of a single edge gives 0; edges in a row change one another's weights. Channels without values or weights are left out.

    Args:
        graph: a float network.
        images: of calibration.
    """
    draft = Draft(graph)
    regions = list(Smooth().regions(graph))
    peaks, _ = _observed(graph, regions, images)
    found = [np.zeros(0)]
    for region in regions:
        activation = np.max([peaks[tensor] for _, tensor in products(graph, region)], axis=0)
        weight = weight_peaks(draft, region)
        alive = (activation > 0) & (weight > 0)
        found.append(np.square(np.log2(activation[alive] / weight[alive])))
    gaps = np.concatenate(found)
    return float(gaps.mean()) if gaps.size else 0.0


def _observed(
    graph: Graph, regions: list[Region], images: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the peaks per channel of every tensor that a product reads, and its values of a few images."""
    places = {tensor: region.tensors[tensor] for region in regions for _, tensor in products(graph, region)}
    peaks: dict[str, np.ndarray] = {}
    count, step = len(next(iter(images.values()))), chunk_size(graph)
    for start in range(0, count, step):
        chunk = {name: array[start : start + step] for name, array in images.items()}
        found = run_float(graph, chunk, keep=places)
        for tensor, channels in places.items():
            new = activation_peaks(found[tensor], channels)
            peaks[tensor] = np.maximum(peaks.get(tensor, 0.0), new)
    few = {name: array[:SEARCH_IMAGES] for name, array in images.items()}
    found = run_float(graph, few, keep=places)
    return peaks, {tensor: found[tensor] for tensor in places}
