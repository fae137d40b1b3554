"""SCALE-Sim's totals beside those of hwsim's own model of the same machine, with the reason of each difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hwsim.graph import Graph
from hwsim.interchange.scalesim import LayerReport, ScaleSimConfig, Topology, machine_of, network_of
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.simulation.result import Result
from hwsim.simulation.simulate import simulate

WORD = QuantParams(format=IntFormat(bits=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A total of a network in both models.

    Args:
        name: what is counted.
        scalesim: SCALE-Sim's total; None where it is not copied.
        hwsim: hwsim's total.
        why: why they differ; empty where they do not.
    """

    name: str
    scalesim: int | None
    hwsim: int
    why: str


def compare(config: ScaleSimConfig, topology: Topology, reports: Sequence[LayerReport]) -> tuple[Difference, ...]:
    """Return the totals of a network; ``reports`` are those of ``report_topology``."""
    result = simulate(_words(topology), machine_of(config, config.run_name))
    drain = "; stationary outputs shift out here, one cycle per row and fold" if config.dataflow == "os" else ""
    extra = "; there, R + C writes per fold are imagined" if config.dataflow == "os" else ""
    stalls = "it never waits for an operand" if config.estimates_bandwidth else "its stalls are not copied"
    layers = result.layers

    def total(count: Callable[[LayerReport], int | None]) -> int | None:
        counts = [count(report) for report in reports]
        return None if None in counts else sum(each or 0 for each in counts)

    def moved(memory: str, operand: str) -> Callable[[LayerReport], int | None]:
        return lambda report: getattr(report, memory)[operand].words

    rows = [
        Difference(
            name="array cycles",
            scalesim=total(lambda report: report.cycles),
            hwsim=sum(layers.sum(f"{part}_cycles") for part in ("compute", "fill", "drain")),
            why=f"it reports one cycle less per layer; tiles that fit the SRAM may take more folds{drain}",
        ),
        Difference(
            name="stall cycles",
            scalesim=total(lambda report: report.stall_cycles),
            hwsim=layers.sum("stall_cycles"),
            why=f"{stalls}; here one DRAM channel serves all, and first load and last store are waited for",
        ),
    ]
    for memory, name in (("sram", "SRAM"), ("dram", "DRAM")):
        for operand, ours, action in (
            ("ifmap", "ifmap", "reads"),
            ("filter", "weight", "reads"),
            ("ofmap", "ofmap", "writes"),
        ):
            rows.append(
                Difference(
                    name=f"{name} {operand} {action}",
                    scalesim=total(moved(memory, operand)),
                    hwsim=_counted(result, memory == "dram", ours, action.removesuffix("s")),
                    why=WHY[memory, operand] + (extra if (memory, operand) == ("sram", "ofmap") else ""),
                )
            )
    return tuple(replace(row, why="") if row.scalesim == row.hwsim else row for row in rows)


WHY = {
    ("sram", "ifmap"): "tiles that fit the SRAM may take more folds",
    ("sram", "filter"): "tiles that fit the SRAM may take more folds",
    ("sram", "ofmap"): "there, partial sums are written as results; here accumulators take them",
    (
        "dram",
        "ifmap",
    ): "there, a buffer discards all it holds when half full; here, tiles are those of the fewest cycles",
    (
        "dram",
        "filter",
    ): "there, a buffer discards all it holds when half full; here, tiles are those of the fewest cycles",
    ("dram", "ofmap"): "there, every partial sum goes to DRAM; here results only",
}


def _words(topology: Topology) -> Graph:
    """Return the network with words of one byte and weights that are not there: enough for a price."""
    graph = network_of(topology, drawn=False)
    return graph.with_changes(tensors=[replace(tensor, quant=WORD) for tensor in graph.tensors.values()])


def _counted(result: Result, dram: bool, operand: str, action: str) -> int:
    """Return the words that cross the chip's edge, or the array's."""
    return sum(
        row["count"]
        for row in result.accesses.where(operand=operand, action=action).rows()
        if (row["memory"] == "dram") == dram
    )
