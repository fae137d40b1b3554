"""A mapping for every array layer of a network."""

from __future__ import annotations

from hwsim.errors import MappingError
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import multiplier_bits
from hwsim.schedule.choose import choose_mapping


def schedule(graph: Graph, accelerator: Accelerator) -> dict[str, Mapping]:
    """Return the chosen mapping of each array layer by name; equal layers are searched once.

    Raises:
        GraphError: the network has no grids.
        MappingError: a layer whose operands do not fit the multiplier, or of which no tile fits the memories.
    """
    machine = accelerator.model_copy(update={"layer": ()})
    mappings = {}
    for task in lower(graph):
        if not isinstance(task.work, Gemm):
            continue
        datapath = accelerator.datapath_for(task.layer)
        multiplier_bits(task.layer, task.work, datapath)
        try:
            mappings[task.layer] = choose_mapping(task.work, machine, datapath)
        except MappingError as error:
            raise MappingError(f"layer {task.layer!r}: {error}") from None
    return mappings
