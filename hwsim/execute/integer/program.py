"""A network at one shape of its inputs, bound to arrays that are kept: small networks spend their time between the layers.

A program is made of what a first run left behind. Its tensors become the places where later runs put theirs, and every
operator a call without arguments: of the proven layers of ``prepared`` the compiled kernel, with its arguments beside it; of
all others the operator itself, whose results are copied into place. So the integers and the counters are those of the run
layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.execute.integer.bound import Step, bound
from hwsim.execute.integer.entering import bound_inputs
from hwsim.execute.integer.layer import Counters, Layer
from hwsim.execute.integer.prepared import bound_product
from hwsim.graph import OPS, Graph, Node, Work
from hwsim.kernels.gemm import COUNTS

PROGRAMS = 4  # shapes of inputs that were met last
LARGEST_BYTES = 1 << 25  # of all tensors: larger networks spend their time in the layers

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """The operators of a network, in order, and the places of their results. Made by ``make_program``.

    Args:
        graph: the network.
        layers: one per node, in order.
        constants: codes of the constants.
        feed: takes the inputs.
        steps: every operator.
        counts: int64 ``[products, COUNTS]``, written by compiled products.
        counted: whose counters grow by a row of ``counts``, and by how many outputs.
        outputs: places of the results by name.
    """

    graph: Graph
    layers: tuple[Layer, ...]
    constants: Arrays
    feed: Callable[[Arrays], None]
    steps: tuple[Step, ...]
    counts: np.ndarray
    counted: tuple[tuple[Counters, int], ...]
    outputs: Arrays

    def is_of(self, graph: Graph, layers: Mapping[str, Layer], constants: Arrays) -> bool:
        """Whether it was made for the very same objects."""
        same = graph is self.graph and constants is self.constants
        return same and all(layers[layer.node.name] is layer for layer in self.layers)

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Return the outputs, in arrays of their own; counters grow."""
        self.feed(inputs)
        self.counts.fill(0)
        for step in self.steps:
            step()
        for (counters, size), (below, above, smallest, largest) in zip(self.counted, self.counts.tolist(), strict=True):
            counters.outputs += size
            counters.requantized += size
            counters.clipped += below + above
            counters.peak = max(counters.peak, largest, -smallest)
        return self.results()

    def results(self) -> dict[str, np.ndarray]:
        """Return what lies in the places of the outputs, in arrays of their own."""
        return {name: place.copy("K") for name, place in self.outputs.items()}


def take(graph: Graph, layers: Mapping[str, Layer], constants: Arrays, inputs: Arrays) -> Program | None:
    """Return the program that ``keep`` got for these objects and inputs of these shapes and types; None where there is none.

    It is gone from then on, so that nobody else runs it meanwhile: another thread makes a program of its own.
    """
    program = _programs(layers).pop(_key(inputs), None)
    return program if program is not None and program.is_of(graph, layers, constants) else None


def keep(program: Program, layers: Mapping[str, Layer], inputs: Arrays) -> None:
    """Remember a program among the layers; the one that was not used for longest goes."""
    programs = _programs(layers)
    programs[_key(inputs)] = program
    if len(programs) > PROGRAMS:
        programs.pop(next(iter(programs)), None)


def _programs(layers: Mapping[str, Layer]) -> dict[object, Program]:
    memory = next(iter(layers.values())).memory
    found: dict[object, Program] = memory.setdefault("programs", {})
    return found


def _key(inputs: Arrays) -> object:
    return tuple((name, np.shape(given), getattr(given, "dtype", None)) for name, given in inputs.items())


def is_bindable(graph: Graph, layers: Mapping[str, Layer], codes: Arrays) -> bool:
    """Whether runs on such inputs may share arrays: they are not large, no operator hands them out, and none finds a grid."""
    images = max((array.size / graph.tensors[name].size for name, array in codes.items()), default=1)
    bits = sum(tensor.size * tensor.bits for tensor in graph.tensors.values() if not tensor.is_constant)
    return (
        bits / 8 * images <= LARGEST_BYTES
        and all(node.op != "Reinterpret" for node in graph.nodes)
        and all(layer.on_product is None for layer in layers.values())
    )


def own_results(node: Node, operands: Sequence[np.ndarray], results: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return results that ``make_program`` takes: each is a view of an operand that a move shows, or nobody else's."""
    return [
        result
        if result.flags.writeable and (OPS[node.op].work is Work.MOVE or not overlaps(result, operands))
        else result.copy("K")
        for result in results
    ]


def overlaps(result: np.ndarray, operands: Sequence[np.ndarray]) -> bool:
    """Whether ``result`` lies in the memory of an operand."""
    return any(np.may_share_memory(result, operand) for operand in operands)


def make_program(graph: Graph, layers: Mapping[str, Layer], constants: Arrays, tensors: Arrays) -> Program:
    """Return the program of a network that has run.

    Args:
        graph: the network.
        layers: one per node name, which have run.
        constants: codes of the constants.
        tensors: all codes of the run by name, as ``own_results`` gave them; they are written from now on.
    """
    counts = np.zeros((len(graph.nodes), COUNTS), np.int64)
    counted: list[tuple[Counters, int]] = []
    steps: list[Step] = []
    for node in graph.nodes:
        layer = layers[node.name]
        operands = [tensors[name] for name in node.inputs if name]
        places = [None if overlaps(tensors[name], operands) else tensors[name] for name in node.outputs]
        if not any(place is not None for place in places):
            continue  # codes that are only looked at from another side
        product = bound_product(layer, operands, places, counts[len(counted)])
        if product is not None:
            counted.append((layer.counters, tensors[node.outputs[0]].size))
        steps.append(product or bound(layer, operands, places))
    return Program(
        graph=graph,
        layers=tuple(layers[node.name] for node in graph.nodes),
        constants=constants,
        feed=bound_inputs(graph, {name: tensors[name] for name in graph.inputs}),
        steps=tuple(steps),
        counts=counts[: len(counted)],
        counted=tuple(counted),
        outputs={name: tensors[name] for name in graph.outputs},
    )
