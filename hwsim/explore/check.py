"""Which layers can overflow the machine's registers, judged from the operand formats alone."""

from __future__ import annotations

from collections.abc import Mapping as MappingType

from hwsim.graph import Graph
from hwsim.hardware import Accelerator
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import register_bits
from hwsim.numerics.accumulator import Accumulator
from hwsim.tables import Table

OPEN = Accumulator()


def overflow_table(graph: Graph, accelerator: Accelerator, mappings: MappingType[str, Mapping]) -> Table:
    """Return, for each array layer, the least safe register widths and whether the machine's are.

    The bound is that of the data types: the most extreme products of the two formats, over the longest fold for the psum
    and over all of k for the accumulator. It holds for any weights and any order; tighter ones need the weights.
    """
    rows = []
    for node in graph.nodes:
        if node.name not in mappings:
            continue
        mapping, datapath = mappings[node.name], accelerator.datapath_for(node.name)
        psum_bits = register_bits(OPEN, mapping.gemm, max(mapping.k_segments))
        accumulator_bits = register_bits(OPEN, mapping.gemm, mapping.gemm.k)
        rows.append(
            {
                "layer": node.name,
                "psum_bits": psum_bits,
                "accumulator_bits": accumulator_bits,
                "psum": str(datapath.psum),
                "accumulator": str(datapath.accumulator),
                "is_safe": _holds(datapath.psum, psum_bits) and _holds(datapath.accumulator, accumulator_bits),
            }
        )
    return Table.of_records(rows)


def _holds(register: Accumulator, bits: int) -> bool:
    return register.bits is None or register.bits >= bits
