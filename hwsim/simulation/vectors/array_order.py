"""Operands and results of a product in the order in which the array consumes and gives them, without skew.

An operand that stays in the array is one ``rows x columns`` tile per pass; one that streams is a vector a step, all passes
end to end, one lane for each row or column that it enters or leaves through. Lanes without work hold 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.hardware.dataflow import OPERAND_DIMENSIONS
from hwsim.hardware.parts import SystolicArray
from hwsim.interchange.vectors.vector import Vector
from hwsim.mapping.mapping import Mapping
from hwsim.simulation.vectors.folds import Folds
from hwsim.simulation.vectors.passes import FIELDS, Pass, table
from hwsim.simulation.vectors.widths import Widths

PASS_BITS = 32


def array_vectors(
    mapping: Mapping, passes: list[Pass], ifmap: np.ndarray, weight: np.ndarray, folds: Folds, widths: Widths
) -> list[Vector]:
    """Return the pass table and ``array_ifmap``, ``array_weight``, ``array_psum``, ``array_accumulator``; rescaled ``array_term``.

    Args:
        mapping: of the product.
        passes: in order.
        ifmap: ``[groups, m, k]``, k in the array's order.
        weight: ``[groups, k, n]``.
        folds: the registers after each fold.
        widths: of the words.
    """
    array = mapping.array
    sources: dict[str, tuple[str, Callable[[Pass], np.ndarray], str]] = {
        "ifmap": ("ifmap", lambda at: ifmap[at.group], "what enters as ifmap"),
        "weight": ("weight", lambda at: weight[at.group], "what enters as weight"),
        "psum": ("psum", lambda at: folds.psum[at.fold, at.group], "partial sum that leaves the array after each fold"),
        "accumulator": (
            "psum",
            lambda at: folds.accumulator[at.fold, at.group],
            "accumulator behind the array, after that partial sum was added",
        ),
    }
    terms = folds.term
    if terms is not None:
        sources["term"] = ("psum", lambda at: terms[at.fold, at.group], "that partial sum as the scaler gives it")
    vectors = [
        Vector(
            name="passes",
            values=table(passes),
            bits=PASS_BITS,
            signed=False,
            axes=("pass", "field"),
            about=f"passes through the array in order: {' '.join(FIELDS)}",
        )
    ]
    for name, (operand, source, about) in sources.items():
        values, axes = ordered(array, passes, operand, source)
        bits, signed = widths.of(name)
        vectors.append(Vector(name=f"array_{name}", values=values, bits=bits, signed=signed, axes=axes, about=about))
    return vectors


def ordered(
    array: SystolicArray, passes: list[Pass], operand: str, source: Callable[[Pass], np.ndarray]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return what crosses the array's edge as ``operand``, int64 or float32, and the names of its axes.

    Args:
        array: its size and dataflow decide the layout.
        passes: in order.
        operand: ``ifmap``, ``weight`` or ``psum``.
        source: the whole matrix of a pass's group.
    """
    flow, dims = array.flow, OPERAND_DIMENSIONS[operand]
    outer, inner = (dim for dim in (flow.time, flow.rows, flow.columns) if dim in dims)
    lanes = {flow.rows: array.rows, flow.columns: array.columns}
    streams = outer == flow.time
    steps = passes[-1].stream_start + passes[-1].span(flow.time)[1]
    shape = (steps, lanes[inner]) if streams else (len(passes), array.rows, array.columns)
    result = np.zeros(shape, np.float32 if source(passes[0]).dtype.kind == "f" else np.int64)
    for index, at in enumerate(passes):
        (first, first_size), (second, second_size) = at.span(dims[0]), at.span(dims[1])
        block = source(at)[first : first + first_size, second : second + second_size]
        block = block if dims == outer + inner else block.T
        if streams:
            result[at.stream_start : at.stream_start + len(block), : block.shape[1]] = block
        else:
            result[index, : block.shape[0], : block.shape[1]] = block
    names = {flow.rows: "row", flow.columns: "column"}
    return result, ("step", names[inner]) if streams else ("pass", "row", "column")
