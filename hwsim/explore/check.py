"""Which layers can overflow the machine's registers: by the data types alone, and by the weights themselves."""

from __future__ import annotations

from collections.abc import Mapping as MappingType

import numpy as np

from hwsim.graph import Graph, Node
from hwsim.hardware import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import register_bits
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import bits_for_range
from hwsim.tables import Table

OPEN = Accumulator()


def overflow_table(graph: Graph, accelerator: Accelerator, mappings: MappingType[str, Mapping]) -> Table:
    """Return, for each array layer, the least safe register widths and whether the machine's are.

    ``*_type_bits`` hold for any weights of the format; ``*_bits`` hold for these weights and any input, in any order of
    addition (the exact range of FINN's ``minimize_accumulator_width``, per fold for the psum). Where the weight is computed
    by the network both are the same. A preloaded bias is not counted.
    """
    rows = []
    for node in graph.nodes:
        if node.name not in mappings:
            continue
        mapping, datapath = mappings[node.name], accelerator.datapath_for(node.name)
        types = [register_bits(OPEN, mapping.gemm, count) for count in (max(mapping.k_segments), mapping.gemm.k)]
        psum_bits, accumulator_bits = exact_bits(graph, node, mapping, datapath) or types
        rows.append(
            {
                "layer": node.name,
                "psum_type_bits": types[0],
                "psum_bits": psum_bits,
                "accumulator_type_bits": types[1],
                "accumulator_bits": accumulator_bits,
                "psum": str(datapath.psum),
                "accumulator": str(datapath.accumulator),
                "is_safe": _holds(datapath.psum, psum_bits) and _holds(datapath.accumulator, accumulator_bits),
            }
        )
    return Table.of_records(rows)


def exact_bits(graph: Graph, node: Node, mapping: Mapping, datapath: Datapath) -> list[int] | None:
    """Return (psum, accumulator) widths that no input overflows with the layer's weights; None without constant weights."""
    weight, ifmap = (graph.tensors[node.inputs[index]].quant for index in (1, 0))
    data = graph.tensors[node.inputs[1]].data
    if data is None or weight is None or ifmap is None or not weight.is_calibrated:
        return None
    codes = weight.encode(data).astype(np.int64)
    low, high = ifmap.format.minimum, ifmap.format.maximum
    if datapath.zero_point == "subtracted":
        codes = codes - weight.zero_points().reshape(weight.granularity.shape(len(weight.zero_point), codes.ndim))
        low, high = low - ifmap.zero_point[0], high - ifmap.zero_point[0]
    columns = _columns(node, codes, mapping.gemm.k)
    if mapping.k_permutation is not None:
        columns = columns[mapping.k_permutation]
    starts = np.cumsum([0, *mapping.k_segments[:-1]])
    return [_bits(columns, starts, low, high), _bits(columns, np.array([0]), low, high)]


def _columns(node: Node, codes: np.ndarray, k: int) -> np.ndarray:
    """Return the weights as ``[k, outputs]`` in ONNX order of k."""
    if node.op == "Conv":
        return codes.reshape(-1, k).T
    if node.op == "ConvTranspose":
        groups = node.attributes["groups"]
        flipped = codes[:, :, ::-1, ::-1].reshape(groups, codes.shape[0] // groups, codes.shape[1], -1)
        return flipped.transpose(1, 3, 0, 2).reshape(k, -1)
    return codes.reshape(-1, *codes.shape[-2:]).transpose(1, 0, 2).reshape(k, -1)


def _bits(columns: np.ndarray, starts: np.ndarray, low: int, high: int) -> int:
    """Return the width of every partial sum of every column inside the folds that begin at ``starts``."""
    positive = np.add.reduceat(np.maximum(columns, 0), starts, axis=0)
    negative = np.add.reduceat(np.minimum(columns, 0), starts, axis=0)
    low, high = min(low, 0), max(high, 0)
    smallest, largest = positive * low + negative * high, positive * high + negative * low
    return bits_for_range(int(smallest.min()), int(largest.max()))


def _holds(register: Accumulator, bits: int) -> bool:
    return register.bits is None or register.bits >= bits
