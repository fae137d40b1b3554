"""Stochastic rounding: up with the probability of the fraction, ``floor(W / s + u)``, so that codes are right on average.

Nearest rounding is the best choice for each weight on its own, not for their sum: of a hundred draws the best may beat it
(Nagel et al. 2020, arXiv 2004.10568, section 2), which is what AdaRound learns instead of drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import ClassVar

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Tensor
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.quantize import with_decoded_weights
from hwsim.quantization.rounding.neighbours import neighbours, share_above
from hwsim.quantization.state import State

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class StochasticRounding:
    """Draw the codes of all weights from ``state.seed``.

    Args:
        trials: draws; of several the one is kept whose outputs are nearest to the float network's on the calibration images,
            with activations left real (``state.losses["stochastic.loss"]``). One needs no images.
        nearest: rounding to nearest competes, too, and its error is ``state.losses["stochastic.nearest"]``; needs images.

    Raises:
        HwsimError: fewer than one trial.
    """

    only_chooses_codes: ClassVar[bool] = True
    trials: int = 1
    nearest: bool = False

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise HwsimError(f"stochastic: trials must be 1 or more, not {self.trials}")

    def __call__(self, state: State) -> State:
        """Return the state with codes on its weights; raise HwsimError without grids, or without images for several trials."""
        random = np.random.default_rng(state.seed)
        draws = (drawn(state.graph, random) for _ in range(self.trials))
        if self.trials == 1 and not self.nearest:
            return state.with_(graph=next(draws))
        images = dict(state.images("stochastic"))
        wanted = run_float(state.graph, images)
        best, losses = state.graph, {}
        least = _output_error(state.graph, images, wanted) if self.nearest else inf
        if self.nearest:
            losses["stochastic.nearest"] = least
        for graph in draws:
            error = _output_error(graph, images, wanted)
            if error < least:
                best, least = graph, error
        note = f"stochastic: none of {self.trials} draws beat rounding to nearest" if best is state.graph else None
        return state.with_(graph=best, note=note, losses={**losses, "stochastic.loss": least})


def drawn(graph: Graph, random: np.random.Generator) -> Graph:
    """Return the graph with every constant weight on a calibrated grid rounded up or down at random."""
    weights = [graph.tensors[node.inputs[1]] for node in graph.nodes if node.op in WEIGHTED]
    on_grids = [tensor for tensor in weights if tensor.is_constant and tensor.quant is not None]
    return graph.with_changes(tensors=[_rounded(tensor, random) for tensor in on_grids])


def _rounded(tensor: Tensor, random: np.random.Generator) -> Tensor:
    low, high = neighbours(tensor)
    goes_up = random.random(low.shape) < share_above(tensor, low, high)
    return replace(tensor, codes=np.where(goes_up, high, low).astype(low.dtype))


def _output_error(graph: Graph, images: Arrays, wanted: Arrays) -> float:
    found = run_float(with_decoded_weights(graph), images)
    return float(np.mean([np.square(found[name] - wanted[name]).mean() for name in graph.outputs]))
