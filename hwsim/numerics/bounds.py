"""How wide an accumulator must be so that it never overflows, whatever the input: three bounds, each tighter.

The first two are closed forms of A2Q (Colbert et al., ICCV 2023, arXiv 2308.13504); the third is the exact range that
FINN's ``minimize_accumulator_width`` uses. All are computed on integers, without logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.numerics.formats import IntFormat, bits_for_range


@dataclass(frozen=True, slots=True, kw_only=True)
class AccumulatorBits:
    """Signed widths in bits that a layer's accumulator needs by each of the bounds (``exact <= l1 <= data_type``)."""

    data_type: int
    l1: int
    exact: int


def data_type_bits(k: int, activation: IntFormat, weight: IntFormat) -> int:
    """Return the width that ``k`` products of these formats need (A2Q, eq. 3).

    ``P = ceil(a + phi(a) + 1)`` with ``a = log2 k + N + M - 1 - signed(x)`` and ``phi(a) = log2(1 + 2^-a)``, that is
    ``ceil(log2(2^a + 1)) + 1``. A2Q takes the weights as signed; an unsigned weight adds the bit that it lacks.

    >>> data_type_bits(64, IntFormat.parse("uint8"), IntFormat.parse("int8"))
    23
    """
    exponent = activation.bits - activation.signed + weight.bits - weight.signed
    return (k << exponent).bit_length() + 1


def l1_bits(l1_norm: int, activation: IntFormat) -> int:
    """Return the width that weights of this L1 norm need (A2Q, eq. 5).

    ``P = ceil(b + phi(b) + 1)`` with ``b = log2 |w|_1 + N - signed(x)``.

    >>> l1_bits(1000, IntFormat.parse("uint8"))
    19
    """
    return (l1_norm << (activation.bits - activation.signed)).bit_length() + 1


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


def exact_range(weight: np.ndarray, low: int, high: int, start: np.ndarray | int = 0) -> tuple[int, int]:
    """Return ``prefix_range`` over all columns of ``weight`` (integers ``[k, n]``), as Python ints.

    Args:
        weight: centred integer weights ``[k, n]`` (up to 32 bits).
        low: smallest centred activation.
        high: largest centred activation.
        start: what the accumulator holds at first, one number or ``[n]``.
    """
    columns = weight.shape[1]
    positive = np.maximum(weight, 0).sum(axis=0, dtype=np.int64).tolist()
    negative = np.minimum(weight, 0).sum(axis=0, dtype=np.int64).tolist()
    starts = np.broadcast_to(np.asarray(start), (columns,)).tolist()
    ranges = [prefix_range([p, n], low, high, s) for p, n, s in zip(positive, negative, starts, strict=True)]
    ranges += [(s, s) for s in starts]
    return min((r[0] for r in ranges), default=0), max((r[1] for r in ranges), default=0)


def accumulator_bits(
    weight: np.ndarray, activation: IntFormat, weight_format: IntFormat, low: int, high: int
) -> AccumulatorBits:
    """Return the widths by all three bounds for one layer.

    Args:
        weight: centred integer weights ``[k, n]``.
        activation: format of the activations that enter the multiplier.
        weight_format: format of the weights that enter it.
        low: smallest of those activations, the zero point subtracted where the datapath subtracts it.
        high: largest of them.
    """
    l1_norm = int(np.abs(weight.astype(np.int64)).sum(axis=0).max(initial=0))
    return AccumulatorBits(
        data_type=data_type_bits(weight.shape[0], activation, weight_format),
        l1=l1_bits(l1_norm, activation),
        exact=bits_for_range(*exact_range(weight, low, high)),
    )
