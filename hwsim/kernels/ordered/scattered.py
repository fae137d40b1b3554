"""Registers followed addition by addition for single outputs, wherever they lie: the outputs are the lanes.

The operands of an output are two rows along k. The products of eight neighbours of k are made for each output of a vector, and
transposed, so that one vector holds one product of every output.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hwsim.kernels.cache import kernel
from hwsim.kernels.ordered import vector_code as code
from hwsim.kernels.ordered.follower import Follower, Reduction, keep, saturate, wrap
from hwsim.kernels.ordered.registers import SATURATE, WRAP, end_fold, finish, restart

VECTOR_BITS = 512  # of the sums: two AVX2 registers, since the chain of one clamped addition leaves idle slots
REGISTER_BITS = 256  # transposed at once
STEPS = 8  # neighbours along k that are read at once
BLOCK = 32  # int16 of a cache line


def output_lanes(bits: int) -> int:
    """Return how many outputs are followed side by side in lanes of ``bits`` bits.

    >>> output_lanes(16), output_lanes(32)
    (32, 16)
    """
    return VECTOR_BITS // bits


def _rounds(bits: int) -> tuple[list[tuple[int, list[int], int]], tuple[int, ...]]:
    """Return the rounds of a transposition: partners' distance, mask of the first result, step to the mask of the second.

    Behind them, which result is which column. All masks are interleavings for which AVX2 has an instruction: inside of
    halves of a register, and of halves themselves for 32 bits. Eight vectors of 16 lanes are two blocks side by side.
    """
    if bits == 16:
        inside = [[0, 16, 1, 17, 2, 18, 3, 19], [0, 1, 16, 17, 2, 3, 18, 19], [0, 1, 2, 3, 16, 17, 18, 19]]
        masks = [[*mask, *(lane + 8 for lane in mask)] for mask in inside]
        return [(1, masks[0], 4), (2, masks[1], 4), (4, masks[2], 4)], (0, 4, 2, 6, 1, 5, 3, 7)
    masks = [[0, 8, 1, 9, 4, 12, 5, 13], [0, 1, 8, 9, 4, 5, 12, 13], [0, 1, 2, 3, 8, 9, 10, 11]]
    return [(1, masks[0], 2), (2, masks[1], 2), (4, masks[2], 4)], (0, 2, 1, 3, 4, 6, 5, 7)


def _transposed(builder: Any, rows: list[Any], bits: int) -> list[Any]:
    """Return the columns of blocks of eight by eight, given as eight vectors."""
    rounds, order = _rounds(bits)
    for distance, low, step in rounds:
        turned = list(rows)
        masks = code.vector(32, len(low))
        for i in range(STEPS):
            if not i & distance:
                pair = rows[i], rows[i + distance]
                turned[i] = builder.shuffle_vector(*pair, ir.Constant(masks, low))
                turned[i + distance] = builder.shuffle_vector(*pair, ir.Constant(masks, [lane + step for lane in low]))
        rows = turned
    return [rows[i] for i in order]


def _follower(reduce: Reduction) -> Any:
    @intrinsic
    def follow(
        _: Any, a: Any, w: Any, a_at: Any, w_at: Any, begin: Any, end: Any, tree: Any, state: Any, edges: Any
    ) -> Any:
        """Add the products ``begin .. end - 1`` of every lane to its register, ``tree`` at a time."""
        place = types.intp
        signature = types.void(a, w, a_at, w_at, place, place, place, state, edges)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a_, w_, a_at_, w_at_, state_, edges_ = (
                code.row(context, builder, signature.args[index], arguments[index]) for index in (0, 1, 2, 3, 7, 8)
            )
            first, last, tree_ = arguments[4:7]
            zero, one = code.index(0), code.index(1)
            lane = signature.args[7].dtype
            bits, lanes, together = lane.bitwidth, output_lanes(lane.bitwidth), REGISTER_BITS // lane.bitwidth
            if bits == 16 and reduce is not saturate:
                return context.get_dummy_value()  # never called: 16 bits saturate only
            kind, narrow, wide = code.vector(bits, lanes), code.vector(16, STEPS), code.vector(32, STEPS)
            both = ir.Constant(code.vector(32, 2 * STEPS), list(range(2 * STEPS)))
            follower = Follower(builder, state_, lanes, edges_, kind, reduce)
            group, left = code.Register(builder, kind(None)), code.Register(builder, tree_)
            block = cgutils.alloca_once(builder, ir.ArrayType(kind, STEPS))
            products = builder.bitcast(block, kind.element.as_pointer())

            def operands(source: Any, starts: Any, output: int, position: Any) -> Any:
                begin = builder.add(code.element(builder, starts, code.index(output)), position)
                return code.load(builder, source, begin, narrow)

            def vector(source: Any, starts: Any, output: int, position: Any) -> Any:
                first = operands(source, starts, output, position)
                if bits == 32:
                    return builder.sext(first, wide)
                return builder.shuffle_vector(first, operands(source, starts, output + STEPS, position), both)

            with code.counting(builder, first, last, STEPS) as position:
                for begin in range(0, lanes, together):
                    rows = [
                        builder.mul(vector(a_, a_at_, output, position), vector(w_, w_at_, output, position))
                        for output in range(begin, begin + STEPS)
                    ]
                    for step, column in enumerate(_transposed(builder, rows, bits)):
                        code.store(builder, column, products, code.index(step * lanes + begin))
                rest = builder.sub(last, position)
                is_last = builder.icmp_signed("<=", rest, code.index(STEPS))
                steps = builder.select(is_last, rest, code.index(STEPS))
                with code.counting(builder, zero, steps) as step:
                    product = code.load(builder, products, builder.mul(step, code.index(lanes)), kind)
                    group.value = builder.add(group.value, product)
                    left.value = builder.sub(left.value, one)
                    ends = builder.and_(is_last, builder.icmp_signed("==", builder.add(step, one), steps))
                    is_whole = builder.or_(ends, builder.icmp_signed("==", left.value, zero))
                    with builder.if_then(is_whole, likely=True):
                        follower.add(group.value)
                        group.value = kind(None)
                        left.value = tree_
            follower.store()
            return context.get_dummy_value()

        return signature, generate

    return follow


_saturated, _wrapped, _kept = _follower(saturate), _follower(wrap), _follower(keep)


@kernel
def transpose(w: Any, columns: Any) -> None:
    """Write ``w [k, n]`` as ``columns [n, at least k]``, in blocks whose lines stay in the cache."""
    k, n = w.shape
    for top in range(0, k, BLOCK):
        for left in range(0, n, BLOCK):
            for j in range(left, min(left + BLOCK, n)):
                column = columns[j, top:]
                for i in range(min(BLOCK, k - top)):
                    column[i] = w[top + i, j]


@kernel
def follow_outputs(
    a: Any,
    w: Any,
    row_of: Any,
    column_of: Any,
    folds: Any,
    tree: Any,
    psum: Any,
    accumulator: Any,
    values: Any,
    events: Any,
    peaks: Any,
    tops: Any,
    state: Any,
) -> Any:
    """Accumulate outputs in order, in place; return the largest magnitude found.

    Args:
        a: int16 ``[rows, k + STEPS]``, k in order; what lies behind it does not count.
        w: int16 ``[columns, k + STEPS]``, likewise.
        row_of: int64 ``[outputs]``, the row of ``a`` that each output takes.
        column_of: int64 ``[outputs]``, likewise of ``w``.
        folds: int64 lengths of the folds along k.
        tree: products that are summed exactly before each addition.
        psum: int64 ``[mode, low, high, ...]``, see ``hwsim.kernels.ordered.loop``.
        accumulator: the same, in 64 bits.
        values: int64 ``[outputs]``, holds the start values, receives the sums.
        events: int64, likewise, written.
        peaks: int64, likewise, written, with ``tops`` as in ``hwsim.kernels.ordered.loop``.
        tops: int64, likewise, written.
        state: lanes of 16 or 32 bits ``[4, output_lanes]``, scratch.
    """
    lanes = state.shape[1]
    edges = psum[1:3].astype(state.dtype)
    a_at, w_at = np.empty(lanes, np.int64), np.empty(lanes, np.int64)
    wanted = np.ones(lanes, np.bool_)
    best = np.int64(0)
    for first in range(0, len(values), lanes):
        count = min(lanes, len(values) - first)
        for lane in range(lanes):
            output = first + min(lane, count - 1)
            a_at[lane], w_at[lane] = row_of[output] * a.shape[1], column_of[output] * w.shape[1]
        here = slice(first, first + count)
        restart(accumulator, values[here], events[here], peaks[here])
        state[:] = 0
        begin = 0
        for fold in folds:
            end = begin + fold
            if psum[0] == SATURATE:
                _saturated(a, w, a_at, w_at, begin, end, tree, state, edges)
            elif psum[0] == WRAP:
                _wrapped(a, w, a_at, w_at, begin, end, tree, state, edges)
            else:
                _kept(a, w, a_at, w_at, begin, end, tree, state, edges)
            end_fold(accumulator, state[0], values[here], events[here], peaks[here])
            begin = end
        best = finish(state, psum, wanted, events[here], peaks[here], tops[here], best)
    return best
