"""Replace ReLU6 and its like by ReLU, which commutes with scales, as Nagel et al. 2019 (arXiv 1906.04721) do with MobileNetV2.

The float function changes where activations exceed the clip: it is a step of its own, which says by how much.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hwsim.graph import Graph, Node
from hwsim.quantization.state import State
from hwsim.quantization.transforms.float_change import change_db


def clip_to_relu(graph: Graph, layers: Collection[str] | None = None) -> Graph:
    """Return the graph with every clamp and Clip to ``0..high`` open above.

    Args:
        graph: without grids.
        layers: names of the nodes that are changed; None for all.
    """
    clipped = [node for node in graph.nodes if is_clipped(node) and (layers is None or node.name in layers)]
    opened = {node.name: _opened(node) for node in clipped}
    return graph.with_changes(nodes=[opened.get(node.name, node) for node in graph.nodes]) if opened else graph


def is_clipped(node: Node) -> bool:
    """Whether ``node`` cuts its result at 0 below and at something above."""
    low, high = (node.attributes["minimum"], node.attributes["maximum"]) if node.op == "Clip" else node.clamp
    return low == 0 and high is not None and high > 0


def _opened(node: Node) -> Node:
    if node.op == "Clip":
        return node.with_attributes(maximum=None)
    return node.with_attributes(clamp=(0.0, None))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipToRelu:
    """Replace every ReLU6 by ReLU and report what that does to the float outputs."""

    def __call__(self, state: State) -> State:
        """Return the state with the opened graph."""
        return opened_state(state, clip_to_relu(state.graph))


def opened_state(state: State, graph: Graph) -> State:
    """Return the state with ``graph``, a copy of its own with clips opened, and the error of that where there are images."""
    count = sum(is_clipped(node) for node in state.graph.nodes) - sum(is_clipped(node) for node in graph.nodes)
    if not count:
        return state
    note = f"{count} clips became ReLU"
    if state.calibration is None:
        return state.with_(graph=graph, note=f"{note}; without calibration images their float error is not known")
    ratio = change_db(state.graph, graph, state.calibration)
    note += f", which leaves the float outputs a signal to noise ratio of {ratio:.1f} dB on the calibration images"
    return state.with_(graph=graph, note=note, losses={"clip_to_relu.sqnr_db": ratio})
