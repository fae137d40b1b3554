"""What rescales the sums of folds where scales change along k: the segments, their constants, sums before and after."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.product import ArrayProduct, FoldScaling
from hwsim.hardware.requantizer_circuit import SHIFT_BITS
from hwsim.interchange.vectors.vector import Vector
from hwsim.mapping.mapping import Mapping
from hwsim.simulation.vectors.folds import Folds
from hwsim.simulation.vectors.widths import Widths
from hwsim.simulation.vectors.words import COUNT, register, vector


def segment_vectors(
    product: ArrayProduct, scaling: FoldScaling, mapping: Mapping, folds: Folds, widths: Widths
) -> list[Vector]:
    """Return the segments, the constants of their scaler, and what enters and leaves it after each fold.

    Args:
        product: of the region that is written.
        scaling: of its folds.
        mapping: its folds.
        folds: the registers after each fold.
        widths: of operands and registers.
    """
    assert folds.entering is not None
    assert folds.term is not None
    column, output = ("segment", "group", "n"), ("fold", "group", "m", "n")
    vectors = [
        vector("segment_lengths", np.array(scaling.lengths), COUNT, ("segment",), "products along k in each segment"),
        vector("fold_segment", np.array(scaling.segments), COUNT, ("fold",), "the segment that each fold lies in"),
    ]
    if scaling.constants is None:
        vectors.append(register("segment_scale", scaling.scale, 32, column, "what a sum is multiplied by, in float32"))
    else:
        multiplier, shift = scaling.constants
        vectors += [
            register("segment_multiplier", multiplier, 1, column, "what a sum is multiplied by"),
            register(
                "segment_shift", shift, SHIFT_BITS, column, "places that the product is shifted right, and rounded"
            ),
        ]
    if scaling.weight_zero_point.any():
        sums = np.add.reduceat(product.ifmap, _starts(mapping), axis=2, dtype=np.int64).transpose(2, 0, 1)
        vectors += [
            register("fold_ifmap_sum", sums, 1, ("fold", "group", "m"), "sum of the ifmap over the k of each fold"),
            register(
                "segment_weight_zero_point",
                scaling.weight_zero_point,
                widths.weight + 1,
                column,
                "times fold_ifmap_sum, subtracted from psum",
            ),
        ]
    return [
        *vectors,
        register("fold_sum", folds.entering, widths.psum, output, "what enters the scaler"),
        register("term", folds.term, widths.term, output, "what leaves the scaler and joins the accumulator"),
    ]


def _starts(mapping: Mapping) -> np.ndarray:
    lengths = np.array(mapping.k_segments)
    starts: np.ndarray = np.cumsum(lengths) - lengths
    return starts
