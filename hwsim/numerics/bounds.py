"""How wide an accumulator must be so that it never overflows, whatever the input: four bounds.

The first three are closed forms of A2Q (Colbert et al., ICCV 2023, arXiv 2308.13504) and A2Q+ (Colbert et al., ICML 2024,
arXiv 2401.10432); the last is the exact range that FINN's ``minimize_accumulator_width`` uses, the tightest. All are
computed on integers, without logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.numerics.formats import IntFormat, bits_for_range

INT64_SAFE = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class AccumulatorBits:
    """Signed widths in bits that a register needs by each of the bounds; ``exact`` is the smallest of them.

    Args:
        data_type: any weights of the format, any activations of theirs.
        l1: weights of this L1 norm (A2Q).
        l1_centred: weights of this L1 norm and sum (A2Q+, which is stated for columns that sum to zero).
        exact: these weights.
    """

    data_type: int
    l1: int
    l1_centred: int
    exact: int


def data_type_bits(k: int, activation: IntFormat, weight: IntFormat, start: int = 0) -> int:
    """Return the width that ``k`` products of these formats need (A2Q, eq. 3), from a start of this magnitude on.

    ``P = ceil(a + phi(a) + 1)`` with ``a = log2 k + N + M - 1 - signed(x)`` and ``phi(a) = log2(1 + 2^-a)``, that is
    ``ceil(log2(2^a + 1)) + 1``. A2Q takes the weights as signed; an unsigned weight adds the bit that it lacks.

    >>> data_type_bits(64, IntFormat.parse("uint8"), IntFormat.parse("int8"))
    23
    """
    exponent = activation.bits - activation.signed + weight.bits - weight.signed
    return ((k << exponent) + start).bit_length() + 1


def l1_bits(l1_norm: int, activation: IntFormat, start: int = 0) -> int:
    """Return the width that weights of this L1 norm need (A2Q, eq. 5), from a start of this magnitude on.

    ``P = ceil(b + phi(b) + 1)`` with ``b = log2 |w|_1 + N - signed(x)``.

    >>> l1_bits(1000, IntFormat.parse("uint8"))
    19
    """
    return ((l1_norm << (activation.bits - activation.signed)) + start).bit_length() + 1


def centred_l1_bits(norm: int, low: int, high: int, start: int = 0) -> int:
    """Return the width that weights of this L1 norm need where they sum to zero (A2Q+).

    ``P = ceil(log2(|w|_1 (2^N - 1) + 2))``: half the norm is positive and half negative, so that no sum is larger than
    ``|w|_1 / 2`` times the span ``high - low`` of the activations. It holds for other weights, too, with the norm
    ``|w|_1 + |sum w|``: twice the larger of the two halves.

    >>> centred_l1_bits(1000, 0, 255), l1_bits(1000, IntFormat.parse("uint8"))
    (18, 19)
    """
    return (norm * (max(high, 0) - min(low, 0)) + 2 * start + 1).bit_length()


def prefix_range(weights: list[int], low: int, high: int, start: int = 0) -> tuple[int, int]:
    """Return the smallest and the largest partial sum ``start + sum x_i w_i`` in any order, for ``low <= x_i <= high``.

    ``max = start + sum_(w>0) w max(high, 0) + sum_(w<0) w min(low, 0)``, and likewise the minimum: FINN's range, and for
    inputs that cannot be zero also the sums of fewer terms.

    >>> prefix_range([3, -2], -128, 127)
    (-638, 637)
    """
    positive = sum(weight for weight in weights if weight > 0)
    negative = sum(weight for weight in weights if weight < 0)
    low, high = min(low, 0), max(high, 0)
    return start + positive * low + negative * high, start + positive * high + negative * low


def sums_of_folds(values: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the sums of ``values [..., k, n]`` over each fold of k, int64 ``[..., folds, n]``.

    >>> sums_of_folds(np.array([[1], [2], [3]]), np.array([2, 1])).tolist()
    [[3], [3]]
    """
    return np.asarray(np.add.reduceat(values, np.cumsum(folds) - folds, axis=-2, dtype=np.int64))


def fold_ranges(weight: np.ndarray, folds: np.ndarray, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest partial sum of each fold and column, in any order: ``prefix_range`` of many.

    Args:
        weight: centred integer weights ``[..., k, n]``.
        folds: int64 lengths of the folds along k, in the array's order of k.
        low: smallest centred activation.
        high: largest centred activation.

    Returns:
        Two arrays ``[..., folds, n]``: int64, or Python ints where 64 bits might not do.
    """
    positive, negative = (sums_of_folds(part(weight, 0), folds) for part in (np.maximum, np.minimum))
    low, high = min(low, 0), max(high, 0)
    widest = max(int(positive.max(initial=0)), -int(negative.min(initial=0)))
    if 2 * widest * max(-low, high) >= INT64_SAFE:
        positive, negative = positive.astype(object), negative.astype(object)
    return positive * low + negative * high, positive * high + negative * low


def exact_range(weight: np.ndarray, low: int, high: int, start: np.ndarray | int = 0) -> tuple[int, int]:
    """Return ``prefix_range`` over all columns of ``weight`` (integers ``[k, n]``), as Python ints.

    Args:
        weight: centred integer weights ``[k, n]`` (up to 32 bits).
        low: smallest centred activation.
        high: largest centred activation.
        start: what the accumulator holds at first, one number or ``[n]``.
    """
    if not weight.size:
        return 0, 0
    starts = np.broadcast_to(np.asarray(start), weight.shape[1]).astype(object)
    smallest, largest = fold_ranges(weight, np.array([len(weight)]), low, high)
    return int((smallest[0] + starts).min()), int((largest[0] + starts).max())


def accumulator_bits(
    weight: np.ndarray,
    activation: IntFormat,
    weight_format: IntFormat,
    low: int,
    high: int,
    folds: np.ndarray | None = None,
    start: np.ndarray | int = 0,
) -> AccumulatorBits:
    """Return the widths by all four bounds for one register of one layer, which starts each fold anew.

    Args:
        weight: centred integer weights ``[k, n]``.
        activation: format of the activations that enter the multiplier.
        weight_format: format of the weights that enter it.
        low: smallest of those activations, the zero point subtracted where the datapath subtracts it.
        high: largest of them.
        folds: int64 lengths of the folds along k; None for one.
        start: what the register holds at first, one number or ``[n]`` (a preloaded bias).
    """
    folds = np.array([len(weight)]) if folds is None else folds
    starts = np.broadcast_to(np.asarray(start), weight.shape[1]).astype(object)
    offset = int(np.abs(starts).max(initial=0))
    smallest, largest = fold_ranges(weight, folds, low, high)
    norms, sums = sums_of_folds(np.abs(weight.astype(np.int64)), folds), sums_of_folds(weight, folds)
    return AccumulatorBits(
        data_type=data_type_bits(int(folds.max(initial=0)), activation, weight_format, offset),
        l1=l1_bits(int(norms.max(initial=0)), activation, offset),
        l1_centred=centred_l1_bits(int((norms + np.abs(sums)).max(initial=0)), low, high, offset),
        exact=bits_for_range(int((smallest + starts).min(initial=0)), int((largest + starts).max(initial=0))),
    )
