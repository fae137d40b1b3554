"""Which tensors change together with an edge, and where the change ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node
from hwsim.quantization.transforms.channels import Channels, channels_of, moved
from hwsim.quantization.transforms.rules import EXACT, Kind, Reach, Role, as_producer, as_reader

RESULT = ""
"""Stands for the network's result among readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The tensors that carry a change, and the operators at its border.

    Args:
        kind: what changes.
        tensors: where the channels lie, by tensor.
        passing: operators inside, which read and give changed tensors.
        producers: operators that take the change of their result into their constants.
        readers: those that undo the change of their operand in their constants, with that operand.
        blocked_producers: tensors whose producer can do neither, with the reason.
        blocked_readers: pairs of tensor and reader (``RESULT`` of the network) that need the tensor as it was, with the reason.
    """

    kind: Kind
    tensors: Mapping[str, Channels]
    passing: tuple[str, ...]
    producers: tuple[tuple[str, str], ...]
    readers: tuple[tuple[str, str], ...]
    blocked_producers: Mapping[str, str]
    blocked_readers: Mapping[tuple[str, str], str]

    @property
    def is_free(self) -> bool:
        """Whether everything is absorbed, so that no operation is left on any edge."""
        return not self.blocked_producers and not self.blocked_readers

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not free, a sentence part per place."""
        produced = [f"tensor {tensor!r}: {reason}" for tensor, reason in self.blocked_producers.items()]
        read = [
            f"tensor {tensor!r} at {f'layer {node!r}' if node else 'the result'}: {reason}"
            for (tensor, node), reason in self.blocked_readers.items()
        ]
        return (*produced, *read)


def region_of(graph: Graph, edge: str, kind: Kind, *, axis: int | None = None, reach: Reach = EXACT) -> Region:
    """Return what changes when the channels of ``edge`` do.

    Args:
        graph: any graph; only its float values are looked at.
        edge: an activation.
        kind: of the change.
        axis: of the channels; found from the rank if left out, see ``channels_of``.
        reach: how far the change may go.

    Raises:
        GraphError: an edge that is no activation, or one that meets itself with its channels elsewhere.
    """
    return _Growth(graph, kind, reach).grown(edge, channels_of(graph, edge, axis))


class _Growth:
    """A region while it grows, tensor by tensor."""

    def __init__(self, graph: Graph, kind: Kind, reach: Reach) -> None:
        self.graph, self.kind, self.reach = graph, kind, reach
        self.tensors: dict[str, Channels] = {}
        self.passing: dict[str, None] = {}
        self.producers: dict[tuple[str, str], None] = {}
        self.readers: dict[tuple[str, str], None] = {}
        self.blocked_producers: dict[str, str] = {}
        self.blocked_readers: dict[tuple[str, str], str] = {}
        self.waiting: list[str] = []

    def grown(self, edge: str, channels: Channels) -> Region:
        self._add(edge, channels)
        while self.waiting:
            tensor = self.waiting.pop()
            self._look_back(tensor)
            self._look_ahead(tensor)
        return Region(
            kind=self.kind,
            tensors=self.tensors,
            passing=tuple(self.passing),
            producers=tuple(self.producers),
            readers=tuple(self.readers),
            blocked_producers=self.blocked_producers,
            blocked_readers=self.blocked_readers,
        )

    def _add(self, tensor: str, channels: Channels) -> None:
        if tensor not in self.tensors:
            self.tensors[tensor] = channels
            self.waiting.append(tensor)
        elif self.tensors[tensor] != channels:
            raise GraphError(
                f"{self.graph.name}: tensor {tensor!r} takes the change on axis {self.tensors[tensor].axis} and on axis "
                f"{channels.axis}; no transform can do both"
            )

    def _look_back(self, tensor: str) -> None:
        node = self.graph.producer_of.get(tensor)
        if node is None:
            self.blocked_producers[tensor] = "it is an input of the network"
            return
        verdict = as_producer(self.graph, node, tensor, self.tensors[tensor], self.kind, self.reach)
        if verdict.role is Role.ABSORBS:
            self.producers[node.name, tensor] = None
        elif verdict.role is Role.BLOCKS or not self._pass(node, tensor):
            self.blocked_producers[tensor] = verdict.reason or "the channels are cut or mixed"

    def _look_ahead(self, tensor: str) -> None:
        if tensor in self.graph.outputs:
            self.blocked_readers[tensor, RESULT] = "it is a result of the network"
        for node in self.graph.consumers_of[tensor]:
            verdict = as_reader(self.graph, node, tensor, self.tensors[tensor], self.kind, self.reach)
            if verdict.role is Role.ABSORBS:
                self.readers[node.name, tensor] = None
            elif verdict.role is Role.BLOCKS or not self._pass(node, tensor):
                self.blocked_readers[tensor, node.name] = verdict.reason or "the channels are cut or mixed"

    def _pass(self, node: Node, tensor: str) -> bool:
        """Hand the change on to every activation of ``node``; False where its channels do not stay whole."""
        others = [
            name
            for name in (*node.inputs, *node.outputs)
            if name and name != tensor and not self.graph.tensors[name].is_constant
        ]
        places = [moved(self.graph, node, tensor, other, self.tensors[tensor]) for other in others]
        if any(place is None for place in places):
            return False
        for other, place in zip(others, places, strict=True):
            assert place is not None
            self._add(other, place)
        self.passing[node.name] = None
        return True
