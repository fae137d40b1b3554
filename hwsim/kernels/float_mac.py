"""Rounded sums of products in the order of the array; the fast twin of ``hwsim.numerics.float_mac``.

Outputs lie side by side, so that the order of every sum is kept and the loops still fill vectors.

Sums in fp32 are the processor's own fused multiply-add. All other formats ``T`` of ``p`` significant bits are summed in
*lanes* of ``P`` bits (float32 or float64) in which a product is exact. Rounding the sum to ``P`` bits and then to ``p`` would
round twice, and ``P >= 2p + 2`` does not help: a product has more bits than the terms of that theorem. So the lane's sum ``s``
is first made *odd*: Knuth's TwoSum gives the exact error ``e``, and where it is not 0 and the last bit of ``s`` is 0, ``s`` moves
by one unit towards the exact sum. What is odd in the last of ``P >= p + 2`` bits can be no number of ``T`` and no middle of
two, and lies on the same side of them as the exact sum, so that rounding it to ``p`` bits gives the rounding of the exact sum
(Boldo and Melquiond, Emulation of FMA and correctly rounded sums, IEEE Trans. Computers 57, 2008, theorem 3); so does
rounding it to the fixed step of subnormal numbers, which is at least four of its units, too. TwoSum is exact while nothing
overflows, and no sum of lanes does: ``lane_of`` asks for room.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

from hwsim.kernels.cache import kernel
from hwsim.kernels.cpu import features
from hwsim.kernels.operands import check_segments
from hwsim.numerics.float_mac import FloatMac, beyond
from hwsim.numerics.formats.floating import FloatFormat

SIDE_BY_SIDE = 256  # outputs whose sums stay in the first cache
FP32 = FloatFormat.parse("fp32")


def _write_fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c`` of floats, rounded once."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: list[ir.Value]) -> ir.Value:
        return builder.fma(*arguments)

    return a(a, a, a), generate


_fma: Any = intrinsic(_write_fma)


def _write_rounded_sum(typing: Any, product: Any, psum: Any, rule: Any) -> Any:
    """``product + psum`` rounded to the format that ``rule`` describes (``Rule``).

    Written in LLVM's language, because numba widens 32-bit integers.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: list[ir.Value]) -> ir.Value:
        product, psum = arguments[:2]
        constants = Rule(*(builder.extract_value(arguments[2], place) for place in range(len(Rule._fields))))
        lane, whole = product.type, constants.one.type
        s = builder.fadd(product, psum)
        shift = builder.fsub(s, psum)
        error = builder.fadd(builder.fsub(psum, builder.fsub(s, shift)), builder.fsub(product, shift))
        bits = builder.bitcast(s, whole)
        sign = builder.and_(bits, constants.sign)
        size = builder.xor(bits, sign)
        # odd: one unit up where the error has the sum's sign, else one down
        rises = builder.icmp_signed(">=", builder.xor(builder.bitcast(error, whole), bits), whole(0))
        unit = builder.select(rises, constants.one, builder.neg(constants.one))
        is_even = builder.icmp_signed("==", builder.and_(size, constants.one), whole(0))
        moves = builder.and_(builder.fcmp_ordered("!=", error, lane(0)), is_even)
        size = builder.add(size, builder.select(moves, unit, whole(0)))
        # a normal number: half of the last place, less one unit where the place is even, carries into it
        last = builder.and_(builder.lshr(size, constants.drop), constants.one)
        carried = builder.add(size, builder.add(builder.sub(constants.half, constants.one), last))
        nearest = builder.and_(carried, builder.neg(builder.shl(constants.half, constants.one)))
        # a subnormal one: the last place of ``magic`` is the step
        magic = constants.magic
        steps = builder.fsub(builder.fadd(builder.bitcast(size, lane), magic), magic)
        is_small = builder.icmp_signed("<", size, constants.smallest)
        size = builder.select(is_small, builder.bitcast(steps, whole), nearest)
        size = builder.select(builder.icmp_signed(">", size, constants.top), constants.out, size)
        result = builder.bitcast(builder.or_(size, sign), lane)
        return builder.select(builder.fcmp_unordered("uno", s, s), s, result)

    return product(product, psum, rule), generate


_rounded_sum: Any = intrinsic(_write_rounded_sum)


@kernel
def _add(a: Any, w: Any, sums: Any, native: bool, rule: Any) -> None:
    """``sums += a * w``, side by side."""
    if native:
        for j in range(len(sums)):
            sums[j] = _fma(a, w[j], sums[j])
    else:
        for j in range(len(sums)):
            sums[j] = _rounded_sum(a * w[j], sums[j], rule)


@kernel
def _add_four(a: Any, w: Any, k: int, first: int, sums: Any) -> None:
    """``sums += a[k] * w[k]`` and the next three, in order, each sum in its register meanwhile."""
    last = first + len(sums)
    a0, a1, a2, a3 = a[k], a[k + 1], a[k + 2], a[k + 3]
    w0, w1, w2, w3 = w[k, first:last], w[k + 1, first:last], w[k + 2, first:last], w[k + 3, first:last]
    for j in range(len(sums)):
        sums[j] = _fma(a3, w3[j], _fma(a2, w2[j], _fma(a1, w1[j], _fma(a0, w0[j], sums[j]))))


@kernel
def _sums(left: Any, right: Any, folds: Any, result: Any, native: bool, rule: Any) -> None:
    """``result += left @ right``, fold by fold.

    Args:
        left: ``[rows, k]``.
        right: ``[k, columns]``, whose columns are summed side by side.
        folds: their lengths.
        result: ``[rows, columns]``, the accumulators.
        native: with the processor's fused multiply-add, which rounds to ``rule`` by itself.
        rule: how sums are rounded.
    """
    one = np.ones(1, right.dtype)[0]
    psum = np.empty(min(result.shape[1], SIDE_BY_SIDE), right.dtype)
    for first in range(0, result.shape[1], SIDE_BY_SIDE):
        last = min(first + SIDE_BY_SIDE, result.shape[1])
        part = psum[: last - first]
        for i in range(len(result)):
            k = 0
            for fold in folds:
                part[:] = 0
                end = k + fold
                while native and k + 4 <= end:
                    _add_four(left[i], right, k, first, part)
                    k += 4
                while k < end:
                    _add(left[i, k], right[k, first:last], part, native, rule)
                    k += 1
                _add(one, part, result[i, first:last], native, rule)


class Rule(NamedTuple):
    """How ``_rounded_sum`` rounds in a lane; integers of the lane's width but for ``magic``.

    Args:
        one: 1.
        sign: the lane's sign bit.
        drop: bits of the lane's significand that the format lacks.
        half: of the format's last place, as bits of the lane.
        smallest: bits of the smallest normal number.
        magic: a float whose last place is the format's smallest step.
        top: bits of the largest number.
        out: bits of what lies beyond.
    """

    one: Any
    sign: Any
    drop: Any
    half: Any
    smallest: Any
    magic: Any
    top: Any
    out: Any


def lane_of(mac: FloatMac) -> Any:
    """Return the narrowest float in which every product is exact, no sum overflows and ``P >= p + 2``.

    Float64 always is one: products of float32 numbers have 48 bits and lie between 2^-298 and 2^256.
    """
    operand, total = mac.operand, mac.total
    narrow = (
        2 * (operand.mantissa_bits + 1) <= 24
        and 2 * operand.finest >= -149
        and 2 * operand.largest_exponent + 2 <= 126
        and total.largest_exponent <= 125
        and total.mantissa_bits + 3 <= 24
    )
    return np.float32 if narrow else np.float64


@cache
def rule_of(total: FloatFormat, lane: Any) -> Rule:
    """Return how sums in ``total`` are rounded in ``lane``."""
    info = np.finfo(lane)
    whole = np.int32 if lane is np.float32 else np.int64

    def bits(value: float) -> Any:
        return np.array([value], lane).view(whole)[0]

    drop = max(info.nmant - total.mantissa_bits, 1)  # 0 only where the processor rounds by itself
    return Rule(
        one=whole(1),
        sign=whole(np.iinfo(whole).min),
        drop=whole(drop),
        half=whole(1 << (drop - 1)),
        smallest=bits(2.0 ** (total.finest + total.mantissa_bits)),
        magic=lane(2.0 ** (total.finest + info.nmant)),
        top=bits(total.maximum),
        out=bits(beyond(total)),
    )


def accumulate(
    a: np.ndarray, w: np.ndarray, segments: Sequence[int] | np.ndarray, mac: FloatMac, start: np.ndarray | float = 0.0
) -> np.ndarray:
    """Return the accumulators of ``start + a @ w`` as float32 ``[groups, m, n]``.

    Args:
        a: activations ``[groups, m, k]``, float32 numbers of the operand format, k in the array's order.
        w: weights ``[groups, k, n]``, likewise.
        segments: lengths of the folds along k.
        mac: the formats.
        start: what the accumulators hold at first, numbers of the format of sums; broadcasts to ``[groups, m, n]``.

    Raises:
        ExecutionError: segments that do not sum to k.
    """
    groups, m, k = a.shape
    n = w.shape[2]
    folds = check_segments(segments, k)
    native = mac.total == FP32 and "fma" in features()
    lane: Any = np.float32 if native else lane_of(mac)
    crosswise = m > n  # the longer side fills the vectors
    left, right = (w.swapaxes(1, 2), a.swapaxes(1, 2)) if crosswise else (a, w)
    sums = np.array(np.broadcast_to(np.asarray(start, lane), (groups, m, n)))
    sums = np.ascontiguousarray(sums.swapaxes(1, 2)) if crosswise else sums
    rule = rule_of(mac.total, lane)
    for g in range(groups):
        rows, columns = (np.ascontiguousarray(side[g], lane) for side in (left, right))
        _sums(rows, columns, folds, sums[g], native, rule)
    return (sums.swapaxes(1, 2) if crosswise else sums).astype(np.float32, copy=False)
