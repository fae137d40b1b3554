"""Measure a network with some of its quantizers on, over the same images each time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.execute.integer import Layer, run_integer
from hwsim.graph import Graph
from hwsim.graph.layouts import in_file_layout
from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.mapping import Mapping as Tiles
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.metrics import max_abs_error, ratio_db
from hwsim.quantization.diagnose.quantizers import Quantizer, only
from hwsim.schedule import schedule
from hwsim.simulation.compare import real_values
from hwsim.simulation.inputs import chunks_of
from hwsim.simulation.metrics import Metric, measured

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good outputs are.

    Args:
        metric: of the task; None without labels.
        sqnr_db: signal to quantization noise ratio of all outputs together against the float network.
        max_error: the largest difference from it.
    """

    metric: float | None
    sqnr_db: float
    max_error: float

    @property
    def key(self) -> tuple[float, float]:
        """What scores are ordered by, the worst first: the metric where there is one, then the noise."""
        return (0.0 if self.metric is None else self.metric, self.sqnr_db)


class Bench:
    """A quantized network with images and what its float network makes of them.

    Args:
        graph: with grids.
        machine: whose datapath computes.
        images: by input name, in the graph's layout.
        labels: ``[images]``, or None.
        metric: of outputs and labels.
        mappings: of another bench of the same network, where sums are exact and their order has no say.
    """

    def __init__(
        self,
        graph: Graph,
        machine: Accelerator,
        images: Mapping[str, np.ndarray],
        labels: np.ndarray | None,
        metric: Metric,
        *,
        mappings: Mapping[str, Tiles] | None = None,
    ) -> None:
        self.graph, self.machine, self.labels, self.metric = graph, machine, labels, metric
        self.chunks = chunks_of(graph, images)
        self.mappings = schedule(graph, machine).mappings if mappings is None else mappings
        self.reference = _joined([run_float(graph, chunk) for chunk in self.chunks])

    def float_score(self) -> Score:
        """Return what the float network reaches."""
        return self.score(self.reference)

    def score_of_float(self, graph: Graph) -> Score:
        """Return what another float network with the same inputs and outputs reaches."""
        return self.score(_joined([run_float(graph, chunk) for chunk in self.chunks]))

    def measure(self, kept: Collection[Quantizer] | None = None) -> Score:
        """Return what the network reaches with only these quantizers on; None: with everything that has a grid."""
        graph = self.graph if kept is None else only(self.graph, kept)
        return self.measure_of(graph, self.machine) if graph.is_quantized else self.float_score()

    def measure_of(self, graph: Graph, machine: Accelerator, *, mappings: Mapping[str, Tiles] | None = None) -> Score:
        """Return what the same network on other grids reaches; with exact registers the mapping has no say in integers.

        Args:
            graph: the network.
            machine: whose datapath computes.
            mappings: where other layers run on the array than in the network of the bench; None: as there.
        """
        found = self.mappings if mappings is None else mappings
        layers = {node.name: Layer.of(graph, node, machine, found.get(node.name)) for node in graph.nodes}
        codes = _joined([run_integer(graph, layers, chunk) for chunk in self.chunks])
        return self.score({name: real_values(graph, name, values) for name, values in codes.items()})

    def score(self, outputs: Arrays) -> Score:
        """Return the score of outputs by name, in the graph's layout."""
        signal = noise = largest = 0.0
        for name, wanted in self.reference.items():
            signal += float(np.square(wanted, dtype=np.float64).sum())
            noise += float(np.square(outputs[name].astype(np.float64) - wanted).sum())
            largest = max(largest, max_abs_error(wanted, outputs[name]))
        metric = None
        if self.labels is not None:
            metric = measured(self.metric, in_file_layout(self.graph, outputs), self.labels)
        return Score(metric=metric, sqnr_db=ratio_db(signal, noise), max_error=largest)


def with_exact_registers(machine: Accelerator) -> Accelerator:
    """Return the machine with partial sums and accumulators that never overflow: what is left is the grids' own error."""
    exact = {"psum": Accumulator(), "accumulator": Accumulator()}
    rules = tuple(rule.model_copy(update=dict.fromkeys(exact)) for rule in machine.layer)
    return machine.model_copy(update={"datapath": machine.datapath.model_copy(update=exact), "layer": rules})


def _joined(parts: list[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
