"""Which layers can overflow the machine's registers: by the data types alone, and by the weights themselves."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import asdict
from typing import Any

import numpy as np

from hwsim.execute.integer import Layer
from hwsim.explore.operands import Operands, operands_of
from hwsim.explore.segments import segmented_accumulator, segmented_layer, segmented_psum
from hwsim.graph import Graph
from hwsim.hardware import Accelerator
from hwsim.kernels.operands import magnitude
from hwsim.kernels.products.base import BoundedProducts
from hwsim.kernels.products.choose import products_of
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.bounds import AccumulatorBits, accumulator_bits, data_type_bits
from hwsim.numerics.formats import bits_for_range
from hwsim.numerics.multiplier import Multiplier
from hwsim.tables import Table


def overflow_table(graph: Graph, accelerator: Accelerator, mappings: MappingType[str, Mapping]) -> Table:
    """Return, for each array layer, the least safe register widths by each bound and whether the machine's are.

    Four widths for the psum, which starts each fold at zero, and four for the accumulator; see
    ``numerics.bounds.AccumulatorBits``. A preloaded bias is counted where its codes are known (``is_bias_counted``), which
    takes calibrated activations with zero points that do not wait for the run. All hold for any input in any order of addition, so for any adder tree:

    * ``*_type_bits`` for any weights of the format;
    * ``*_l1_bits`` for weights of this L1 norm (A2Q);
    * ``*_l1_centred_bits`` by A2Q+. ``is_zero_centred`` tells whether every column sums to zero, as A2Q+ asks; where one does
      not, its norm is enlarged by the magnitude of its sum;
    * ``*_bits`` for these weights (the exact range of FINN's ``minimize_accumulator_width``).

    Where scales change along k the accumulator adds rescaled sums, in finer units: norms do not bound them, and a float32
    accumulator has no width to bound. Where the network computes the weight all are those of the type. With a multiplier that is not exact the type and the
    weights are bounded by its table, and the norms bound nothing; where it is a function on wide operands, nothing does.
    """
    rows = []
    for node in graph.nodes:
        if node.name not in mappings:
            continue
        mapping, datapath = mappings[node.name], accelerator.datapath_for(node.name)
        operands = operands_of(graph, node, mapping, datapath)
        if operands is None:
            continue
        folds = np.array(mapping.k_segments, np.int64)
        layer = segmented_layer(graph, node, accelerator, mapping)
        both = (
            _segmented(layer, operands)
            if layer is not None
            else {
                "psum": _widths(operands, folds, 0, datapath.multiplier),
                "accumulator": _widths(
                    operands,
                    np.array([mapping.gemm.k]),
                    0 if operands.start is None else operands.start,
                    datapath.multiplier,
                ),
            }
        )
        is_real = layer is not None and datapath.segment_scaling.is_real
        rows.append(
            {
                "layer": node.name,
                **{f"{name}{suffix}": value for name, found in both.items() for suffix, value in found.items()},
                "is_zero_centred": operands.columns is not None and not operands.columns.sum(axis=0).any(),
                "is_bias_counted": operands.start is not None,
                "psum": str(datapath.psum),
                "accumulator": FLOAT32 if is_real else str(datapath.accumulator),
                "is_safe": _holds(datapath.psum, both["psum"]["_bits"])
                and (is_real or _holds(datapath.accumulator, both["accumulator"]["_bits"])),
            }
        )
    return Table.of_records(rows)


FLOAT32 = "float32"
SUFFIXES = {"data_type": "_type_bits", "l1": "_l1_bits", "l1_centred": "_l1_centred_bits", "exact": "_bits"}


def _segmented(layer: Layer, operands: Operands) -> dict[str, dict[str, int | None]]:
    """Return the widths of both registers where sums are rescaled; norms bound no rescaled sum."""
    text = layer.datapath.multiplier
    accumulator = segmented_accumulator(layer, operands)
    return {
        "psum": segmented_psum(layer, operands, lambda part, folds: _widths(part, folds, 0, text)),
        "accumulator": {suffix: accumulator.get(name) for name, suffix in SUFFIXES.items()},
    }


def _widths(operands: Operands, folds: np.ndarray, start: np.ndarray | int, text: str) -> dict[str, int | None]:
    """Return the widths of one register by the suffixes of the table's columns; None where a bound does not exist."""
    multiplier = Multiplier.parse(text)
    found: dict[str, Any]
    if not multiplier.is_exact:
        found = _table_widths(operands, folds, start, multiplier)
    elif operands.columns is None:
        types = data_type_bits(int(folds.max()), operands.activation, operands.weight)
        found = asdict(AccumulatorBits(data_type=types, l1=types, l1_centred=types, exact=types))
    else:
        formats = operands.activation, operands.weight
        found = asdict(accumulator_bits(operands.columns, *formats, *operands.a_range, folds, start))
    return {suffix: found.get(name) for name, suffix in SUFFIXES.items()}


def _table_widths(
    operands: Operands, folds: np.ndarray, start: np.ndarray | int, multiplier: Multiplier
) -> dict[str, int]:
    products = products_of(multiplier, (operands.activation, operands.weight), operands.a_range)
    if not isinstance(products, BoundedProducts):
        return {}
    columns = np.zeros((1, 0), np.int64) if operands.columns is None else operands.columns
    reach = int(folds.max()) * products.largest(columns) + magnitude(np.asarray(start))
    types = bits_for_range(-reach, reach)
    if operands.columns is None:
        return {"data_type": types, "exact": types}
    smallest, largest = (ends[0] + start for ends in products.fold_ranges(columns[None], folds))
    return {
        "data_type": types,
        "exact": bits_for_range(int(smallest.min(initial=0)), int(largest.max(initial=0))),
    }


def _holds(register: Accumulator, bits: int | None) -> bool:
    return register.bits is None or (bits is not None and register.bits >= bits)
