"""The innermost loop over products of one row with neighbouring columns: see ``Follower`` for what it does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from hwsim.kernels.ordered import vector_code as code
from hwsim.kernels.ordered.follower import Follower, Reduction, keep, saturate, wrap

TILE_BITS = (
    1024  # of the sums of a tile: four AVX2 registers, since the chain of one clamped addition leaves idle slots
)


def tile_lanes(bits: int) -> int:
    """Return how many outputs of one row are followed side by side in lanes of ``bits`` bits.

    >>> tile_lanes(16), tile_lanes(32)
    (64, 32)
    """
    return TILE_BITS // bits


def _product(builder: Any, scalar: Any, panel: Any, row: Any, tile: int, kind: Any) -> Any:
    """Return ``scalar * panel[row, ...]`` as a vector of type ``kind``, of a panel with rows of ``tile`` columns."""
    weights = code.load(builder, panel, builder.mul(builder.sext(row, code.INDEX), code.index(tile)), kind)
    return builder.mul(code.splat(builder, scalar, kind), weights)


def _summed_group(builder: Any, ends: Any, group: Any, term: Callable[[Any], Any], kind: Any) -> Any:
    """Return the exact sum of the products of one group of an adder tree: those before ``ends[group + 1]``."""
    bounds = [code.element(builder, ends, place) for place in (group, builder.add(group, code.index(1)))]
    first, last = (builder.sext(bound, code.INDEX) for bound in bounds)
    total = code.Register(builder, kind(None))
    with code.counting(builder, first, last) as position:
        total.value = builder.add(total.value, term(position))
    return total.value


def _counter(reduce: Reduction | None, in_groups: bool, tracks: bool) -> Any:
    """Return a loop over the products, or groups of products, ``begin .. end - 1`` of row i with one panel.

    Tracking the extremes takes twice the registers: then the tile is walked twice, half by half. Without ``reduce`` 16-bit
    lanes saturate by themselves: a sum of b bits lies in the upper b of them, raised by ``lift = 16 - b``. Adding a raised
    product leaves the lower bits as they are, and they only count upwards from the sum, so that the lane leaves its range
    exactly where the sum of b bits would: at the upper end ``(max << lift) + lower bits <= 32767 < (max + 1) << lift``, at
    the lower one ``(min << lift) + lower bits >= -32768 > ((min - 1) << lift) + lower bits``. What is held is the lane
    shifted back.
    """

    @intrinsic
    def count(
        _: Any,
        x: Any,
        picks: Any,
        ends: Any,
        i: Any,
        begin: Any,
        end: Any,
        panels: Any,
        panel: Any,
        lift: Any,
        state: Any,
        edges: Any,
    ) -> Any:
        whole = types.intp
        signature = types.void(x, picks, ends, whole, whole, whole, panels, whole, whole, state, edges)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def entry(argument: int, number: Any = None) -> Any:
                return code.row(context, builder, signature.args[argument], arguments[argument], number)

            x_, picks_, ends_ = (entry(argument, arguments[3]) for argument in range(3))
            panel_, state_, edges_ = entry(6, arguments[7]), entry(9, arguments[3]), entry(10)
            lane = signature.args[9].dtype
            if (lane.bitwidth == 16) if reduce in (wrap, keep) else (lane.bitwidth != 16 and reduce is None):
                return context.get_dummy_value()  # never called: 16 bits saturate only, and only they do by themselves
            tile = tile_lanes(lane.bitwidth)
            lanes = tile // 2 if tracks else tile
            kind = code.vector(lane.bitwidth, lanes)
            lifts = builder.trunc(arguments[8], kind.element) if lane.bitwidth < 64 else arguments[8]
            lifted = code.splat(builder, lifts, kind)
            for shift in range(0, tile, lanes):
                columns, outputs = (builder.gep(base, [code.index(shift)]) for base in (panel_, state_))
                follower = Follower(builder, outputs, tile, edges_, kind, reduce, tracks)
                if reduce is None:
                    follower.total.value = builder.shl(follower.total.value, lifted)

                def term(position: Any, columns: Any = columns, kind: Any = kind) -> Any:
                    scalar, row = (code.element(builder, source, position) for source in (x_, picks_))
                    return _product(builder, scalar if reduce else builder.shl(scalar, lifts), columns, row, tile, kind)

                with code.counting(builder, arguments[4], arguments[5]) as step:
                    follower.add(_summed_group(builder, ends_, step, term, kind) if in_groups else term(step))
                if reduce is None:
                    follower.total.value = builder.ashr(follower.total.value, lifted)
                follower.store()
            return context.get_dummy_value()

        return signature, generate

    return count


saturate_products, saturate_groups = _counter(saturate, False, True), _counter(saturate, True, True)
wrap_products, wrap_groups = _counter(wrap, False, True), _counter(wrap, True, True)
keep_products, keep_groups = _counter(keep, False, True), _counter(keep, True, True)
saturate_lightly, saturate_16_bits, wrap_lightly = (_counter(reduce, False, False) for reduce in (saturate, None, wrap))
