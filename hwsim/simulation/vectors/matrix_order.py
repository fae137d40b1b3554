"""Operands and results of a product as matrices: group, row of m, column of n; k in the array's order."""

from __future__ import annotations

from functools import partial

import numpy as np

from hwsim.execute.integer.product import ArrayProduct
from hwsim.interchange.vectors.vector import Vector
from hwsim.mapping.mapping import Mapping
from hwsim.simulation.vectors.folds import Folds
from hwsim.simulation.vectors.segment_order import segment_vectors
from hwsim.simulation.vectors.widths import Widths
from hwsim.simulation.vectors.words import COUNT, register, vector


def matrix_vectors(product: ArrayProduct, mapping: Mapping, folds: Folds, widths: Widths) -> list[Vector]:
    """Return the operands, their order of k, the constants that join the sums, the registers after each fold and the sums.

    Args:
        product: of the region that is written.
        mapping: its folds.
        folds: the registers after each fold.
        widths: of operands and registers.
    """
    output = ("group", "m", "n")
    order = np.arange(mapping.gemm.k) if mapping.k_permutation is None else mapping.k_permutation
    held = partial(register, signed=widths.registers_signed)
    vectors = [
        vector("ifmap_matrix", product.ifmap, widths.of("ifmap"), ("group", "m", "k"), "ifmap as it is multiplied"),
        vector("weight_matrix", product.weight, widths.of("weight"), ("group", "k", "n"), "weight as it is multiplied"),
        vector("k_order", order, COUNT, ("k",), "where each k of the array stands in the network's order of k"),
        vector(
            "fold_lengths",
            np.array(mapping.k_segments),
            COUNT,
            ("fold",),
            "products along k in each fold",
        ),
        held(
            "column_constant", product.constant, widths.accumulator, ("group", "n"), "bias with folded zero-point terms"
        ),
    ]
    if product.weight_zero_point.any():
        sums = product.ifmap.sum(axis=2, dtype=np.int64)
        vectors += [
            register("ifmap_sum", sums, widths.accumulator, ("group", "m"), "sum of the ifmap over k"),
            register(
                "weight_zero_point",
                product.weight_zero_point,
                widths.weight + 1,
                ("group", "n"),
                "times ifmap_sum, subtracted from the accumulator",
            ),
        ]
    if product.scaling is not None:
        vectors += segment_vectors(product, product.scaling, mapping, folds, widths)
    return [
        *vectors,
        held("psum", folds.psum, widths.psum, ("fold", *output), "partial sum that leaves the array"),
        held(
            "accumulator_after_fold", folds.accumulator, widths.accumulator, ("fold", *output), "accumulator behind it"
        ),
        held("accumulator", folds.accumulator[-1], widths.accumulator, output, "accumulator after the last fold"),
        held("sum", product.sums, widths.accumulator, output, "what enters the requantizer"),
    ]
