"""High-bias absorption (Nagel et al. 2019, arXiv 1906.04721; Nagel et al. 2021, arXiv 2106.08295).

Equalization can leave channels whose values lie far from 0, which widens the range of the whole tensor. Of a channel that
is normal with mean beta and deviation gamma before its ReLU, nearly everything (three deviations) lies above
``c = max(0, beta - 3 gamma)``; there ``relu(y) = relu(y - c) + c``, and the ``c`` moves on into the next bias:
``b1' = b1 - c``, ``b2' = b2 + W2 c``. What lies below ``c`` is changed, so that the float function is, a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.graph import Graph
from hwsim.quantization.state import State
from hwsim.quantization.transforms.absorb import apply
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.float_change import change_db
from hwsim.quantization.transforms.region import region_of
from hwsim.quantization.transforms.rules import GEMMS, Kind, Reach

DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsorbBias:
    """Move what is always there of an activation into the next layer's bias.

    It needs to know the distribution of a layer's result, which a folded batch normalization tells (attribute ``normal``).

    Args:
        deviations: how many of them below the mean count as always there.
        borders: also where the next convolution pads with zeros, as the paper does. Its border then lacks what was moved.
    """

    deviations: float = DEVIATIONS
    borders: bool = False

    def __call__(self, state: State) -> State:
        """Return the state with the graph of moved biases, and how far its float outputs are from those before."""
        graph, layers = absorb_bias(state.graph, deviations=self.deviations, borders=self.borders)
        if not layers:
            return state.with_(note="no bias could be absorbed")
        note = f"biases of {len(layers)} layers were absorbed in the next ones"
        if state.calibration is None:
            return state.with_(graph=graph, note=f"{note}; without calibration images their float error is not known")
        ratio = change_db(state.graph, graph, state.calibration)
        note += f", which leaves the float outputs a signal to noise ratio of {ratio:.1f} dB on the calibration images"
        return state.with_(graph=graph, note=note, losses={"absorb_bias.sqnr_db": ratio})


def absorb_bias(
    graph: Graph, *, deviations: float = DEVIATIONS, borders: bool = False
) -> tuple[Graph, tuple[str, ...]]:
    """Return the graph with moved biases and the names of the layers that gave some away."""
    draft = Draft(graph)
    reach = Reach(past_relu=True, past_padding=borders)
    moved: list[str] = []
    for node in draft.graph.nodes:
        known = node.attributes.get("normal")
        if known is None or node.op not in GEMMS or node.clamp != (0, None):
            continue
        mean, deviation = (np.asarray(part, dtype=np.float64) for part in known)
        always = np.maximum(0.0, mean - deviations * deviation)
        region = region_of(draft.graph, node.outputs[0], Kind.SHIFT, reach=reach)
        if always.any() and region.is_free and region.readers:
            apply(draft, region, EdgeTransform.of(always.size, shift=always))
            moved.append(node.name)
    return draft.finish(), tuple(moved)
