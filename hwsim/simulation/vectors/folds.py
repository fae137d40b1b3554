"""What the registers of a product hold after each fold along k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.execute.integer.product import ArrayProduct, FoldScaling
from hwsim.hardware.datapath import Datapath
from hwsim.kernels.segments import add_scaled
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import FloatFormat
from hwsim.numerics.rounding import Rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folds:
    """Register contents ``[folds, groups, m, n]``, int64; float32 where they hold numbers of a floating-point format.

    Args:
        psum: the partial sum that leaves the array, after its last addition of the fold.
        entering: what enters the scaler: psum, less what column sums of the ifmap stand for; None where nothing is rescaled.
        term: what leaves the scaler; None where nothing is rescaled.
        accumulator: the register behind the array, after that term or partial sum was added.
    """

    psum: np.ndarray
    accumulator: np.ndarray
    entering: np.ndarray | None = None
    term: np.ndarray | None = None

    def as_codes(self, number: FloatFormat) -> Folds:
        """Return the registers of sums in ``number``, which are not rescaled, as its codes, int64."""
        return Folds(psum=codes_of(number, self.psum), accumulator=codes_of(number, self.accumulator))


def codes_of(number: FloatFormat, values: np.ndarray) -> np.ndarray:
    """Return the codes of ``values`` that ``number`` holds, infinity and NaN as it has them, int64."""
    return number.encode_real(values, saturate=False).astype(np.int64)


def registers(product: ArrayProduct, mapping: Mapping, datapath: Datapath) -> Folds:
    """Return what the registers of ``product`` hold after each fold, by the executor's own kernels."""
    preloaded = product.constant if datapath.bias == "start" else np.zeros_like(product.constant)
    start = preloaded[:, None, :]
    if product.scaling is not None:
        return rescaled_fold_by_fold(product, product.scaling, mapping, datapath, start)
    return fold_by_fold(product, mapping, datapath.accumulator, start)


def fold_by_fold(product: ArrayProduct, mapping: Mapping, accumulator: Accumulator, start: np.ndarray) -> Folds:
    """Return the registers after each fold, by the executor's own kernel run one fold at a time.

    Args:
        product: operands, and what accumulates them.
        mapping: which folds.
        accumulator: the register behind the array.
        start: int64 or float32 ``[groups, 1, n]``: what the accumulators hold at first.
    """
    nothing = -0.0 if start.dtype.kind == "f" else 0  # what added to a sum leaves it as it is, its sign too
    psums, accumulators = [], []
    held: np.ndarray = start
    position = 0
    for length in mapping.k_segments:
        part = slice(position, position + length)
        left = np.ascontiguousarray(product.ifmap[:, :, part])
        right = np.ascontiguousarray(product.weight[:, part])
        psums.append(product.accumulate(left, right, [length], accumulator=Accumulator(), start=nothing).values)
        held = product.accumulate(left, right, [length], accumulator=accumulator, start=held).values
        accumulators.append(held)
        position += length
    return Folds(psum=np.stack(psums), accumulator=np.stack(accumulators))


def rescaled_fold_by_fold(
    product: ArrayProduct, scaling: FoldScaling, mapping: Mapping, datapath: Datapath, start: np.ndarray
) -> Folds:
    """Return the registers after each fold where its sum is rescaled on the way, as ``hwsim.numerics.segments`` defines.

    Args:
        product: operands, and what accumulates them.
        scaling: of its folds.
        mapping: which folds.
        datapath: scaler and accumulator.
        start: int64 or float32 ``[groups, 1, n]``: what the accumulators hold at first.
    """
    rounding = datapath.segment_scaling.rounding or Rounding.HALF_UP
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    held = np.broadcast_to(start, product.sums.shape)
    if scaling.constants is not None:
        one, none = np.ones_like(product.constant), np.zeros_like(product.constant)
        held = add_scaled(np.zeros_like(held), held, one, none, rounding, datapath.accumulator).values
    position = 0
    for length, segment in zip(mapping.k_segments, scaling.segments, strict=True):
        part = slice(position, position + length)
        left = np.ascontiguousarray(product.ifmap[:, :, part])
        right = np.ascontiguousarray(product.weight[:, part])
        psum = product.accumulate(left, right, [length], accumulator=Accumulator()).values
        beside = left.sum(axis=2, dtype=np.int64)[:, :, None] * scaling.weight_zero_point[segment][:, None, :]
        total = psum - beside
        if scaling.constants is None:
            term = total.astype(np.float32) * scaling.scale[segment][:, None, :]
            held = held + term
        else:
            multiplier, shift = (values[segment] for values in scaling.constants)
            term = add_scaled(np.zeros_like(total), total, multiplier, shift, rounding, Accumulator()).values
            held = add_scaled(held, total, multiplier, shift, rounding, datapath.accumulator).values
        kept.append((psum, total, term, held))
        position += length
    psums, entering, terms, accumulators = (np.stack(values) for values in zip(*kept, strict=True))
    return Folds(psum=psums, entering=entering, term=terms, accumulator=accumulators)
