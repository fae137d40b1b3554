"""The quantized network at any allocation, put together from networks of one width each.

A weight's grid depends on its own width alone, an activation's on that of its layer's result. So a network with one width
everywhere is quantized once per width, and every mixture takes its tensors from those: for pricing, where thousands of
mixtures are asked for. A bias keeps the grid of the network by the scheme alone: nothing prices it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from hwsim.errors import HwsimError, some_of
from hwsim.graph import OPS, Graph, Node, Tensor, Work, passes_grid
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.allocate.knobs import KEYS, Assignment, Key, Knob, is_stated, with_widths
from hwsim.quantization.allocate.widths import Choices
from hwsim.quantization.quantize import Scheme, quantize
from hwsim.quantization.ranges import Observation


class Variants:
    """A float network with its scheme, ready to be quantized at any widths.

    Args:
        graph: prepared float network.
        scheme: formats and estimators; of the knobs only signs and the like are read.
        seen: what calibration saw of every activation; None gives grids without scales, for pricing alone.
    """

    def __init__(self, graph: Graph, scheme: Scheme, seen: Mapping[str, Observation] | None):
        if graph.is_quantized:
            raise HwsimError(f"allocate: {graph.name} has grids already; allocate widths before they are set")
        self.graph = graph
        self.scheme = scheme
        self.seen = seen
        self._layers = {key: tuple(node for node in graph.nodes if _is_free(graph, node, key, scheme)) for key in KEYS}
        self._base = quantize(graph, scheme, None, seen=seen)
        self._uniform: dict[tuple[Key, int], Graph] = {}

    def choices(self, bits: Mapping[Key, tuple[int, ...]], fixed: tuple[str, ...] = ()) -> Choices:
        """Return the knobs of every key in ``bits``, each with all widths of its key.

        Left out are layers that match ``fixed``, those whose width a rule of the plan states, those whose format is no integer
        (it has no other width), and results that keep a width of their own whatever the scheme says, as those at the
        network's boundary do.

        Raises:
            HwsimError: a pattern that matches no layer, or nothing to allocate.
        """
        names = [node.name for node in self.graph.nodes]
        for pattern in fixed:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise HwsimError(f"allocate: fixed: no layer of {self.graph.name} matches {pattern!r}")
        free = [node for node in self.graph.nodes if not any(fnmatchcase(node.name, pattern) for pattern in fixed)]
        knobs = [
            Knob(node.name, key) for node in free for key in bits if all(self._takes(node, key, b) for b in bits[key])
        ]
        if not knobs:
            because = "".join(f"; {reason}" for reason in self._kept(bits))
            raise HwsimError(f"allocate: {self.graph.name} has no layer whose width is free{because}")
        return Choices(knobs=tuple(knobs), bits=tuple(tuple(sorted(set(bits[knob.key]))) for knob in knobs))

    def note(self, keys: Iterable[Key]) -> str | None:
        """Return which widths of ``keys`` were not free because of the plan, as a sentence; None where all were."""
        kept = self._kept(keys)
        return f"allocate: {'; '.join(kept)}" if kept else None

    def _kept(self, keys: Iterable[Key]) -> list[str]:
        """Return which layers' widths of ``keys`` the plan decides, a clause per reason."""
        plan = self.scheme.plan
        had = [Knob(node.name, key) for node in self.graph.nodes for key in keys if _has(self.graph, node, key)]
        stated = [str(knob) for knob in had if is_stated(plan, knob)]
        other: dict[str, list[str]] = {}
        for knob in had:
            number = getattr(plan.for_layer(knob.layer), knob.key)
            if not is_stated(plan, knob) and not isinstance(number, IntFormat):
                other.setdefault(str(number), []).append(str(knob))
        clauses = [f"the plan's rules state {some_of(stated)}, which keep their widths"] if stated else []
        return clauses + [
            f"{some_of(knobs)} stay {number}, no integers of any width" for number, knobs in other.items()
        ]

    def _takes(self, node: Node, key: Key, bits: int) -> bool:
        if node not in self._layers[key]:
            return False
        grid = self.tensor(Knob(node.name, key), bits).quant
        return grid is not None and isinstance(grid.format, IntFormat) and grid.format.bits == bits

    def uniform(self, key: Key, bits: int) -> Graph:
        """Return the network with one width under ``key`` in all layers, and what the scheme says elsewhere."""
        if (key, bits) not in self._uniform:
            knobs = tuple(Knob(node.name, key) for node in self._layers[key])
            scheme = with_widths(self.scheme, knobs, (bits,) * len(knobs))
            self._uniform[key, bits] = quantize(self.graph, scheme, None, seen=self.seen)
        return self._uniform[key, bits]

    def tensor(self, knob: Knob, bits: int) -> Tensor:
        """Return the tensor that a knob turns, at one width: the constant weight, or the layer's first result."""
        node = self.graph.node_of[knob.layer]
        name = node.inputs[1] if knob.key == "weights" else node.outputs[0]
        return self.uniform(knob.key, bits).tensors[name]

    def priced(self, knobs: tuple[Knob, ...], bits: Assignment) -> Graph:
        """Return the network at these widths for pricing: biases keep the grids of another."""
        changed: list[Tensor] = []
        for knob, width in zip(knobs, bits, strict=True):
            found = self.uniform(knob.key, width).tensors
            changed += [found[name] for name in self._owned(knob)]
        return self._base.with_changes(tensors=changed)

    def quantized(self, knobs: tuple[Knob, ...], bits: Assignment) -> Graph:
        """Return the network at these widths, every grid as ``quantize`` sets it: for execution."""
        return quantize(self.graph, with_widths(self.scheme, knobs, bits), None, seen=self.seen)

    def _owned(self, knob: Knob) -> list[str]:
        """Return the tensors whose grids a knob sets."""
        node = self.graph.node_of[knob.layer]
        if knob.key == "weights":
            return [node.inputs[1]]
        owned = [name for name in node.inputs if name and OPS[node.op].work is not Work.GEMM and self._is_operand(name)]
        waiting = list(node.outputs)
        while waiting:
            name = waiting.pop()
            owned.append(name)
            waiting += [
                output
                for reader in self.graph.consumers_of[name]
                if passes_grid(reader) and reader.inputs[0] == name
                for output in reader.outputs
            ]
        return owned

    def _is_operand(self, name: str) -> bool:
        return self.graph.tensors[name].is_constant and self._base.tensors[name].quant is not None


def _has(graph: Graph, node: Node, key: Key) -> bool:
    """Whether a layer has a constant weight, or a result with a grid of its own."""
    if key == "activations":
        return not passes_grid(node)
    return OPS[node.op].work is Work.GEMM and graph.tensors[node.inputs[1]].is_constant


def _is_free(graph: Graph, node: Node, key: Key, scheme: Scheme) -> bool:
    """Whether the layer has what the key names, in integers of no stated width."""
    if is_stated(scheme.plan, Knob(node.name, key)):
        return False
    return isinstance(getattr(scheme.plan.for_layer(node.name), key), IntFormat) and _has(graph, node, key)
