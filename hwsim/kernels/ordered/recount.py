"""The innermost loop of the exact recount: registers reduced after every addition, events counted, extremes followed.

``state`` has four rows of ``group_lanes``: the sums, their overflow events, and the largest and the smallest sum before
reduction. Lanes of 16 bits cannot hold those. There rows 2 and 3 are the largest and the smallest excess
``(sum + product) - reduced``, which is no longer than a product and so is exact modulo 2^16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from hwsim.kernels.ordered import vector_code as code
from hwsim.kernels.ordered.sweep import products_of, summed_group

GROUP_BITS = 512  # of a group's sums: two AVX2 registers, since the chain of one clamped addition leaves idle slots
STATE_ROWS = 4


def group_lanes(bits: int) -> int:
    """Return how many outputs of one row are recounted side by side in lanes of ``bits`` bits.

    >>> group_lanes(16), group_lanes(32)
    (32, 16)
    """
    return GROUP_BITS // bits


def _saturate(builder: Any, total: Any, low: Any, high: Any) -> tuple[Any, Any]:
    kept = code.call(builder, "smin", code.call(builder, "smax", total, low), high)
    return kept, builder.icmp_signed("==", kept, total)


def _wrap(builder: Any, total: Any, low: Any, high: Any) -> tuple[Any, Any]:
    mask = builder.sub(high, low)
    kept = builder.add(builder.and_(builder.sub(total, low), mask), low)
    return kept, builder.icmp_signed("==", kept, total)


def _keep(builder: Any, total: Any, low: Any, high: Any) -> tuple[Any, Any]:
    return total, builder.and_(builder.icmp_signed(">=", total, low), builder.icmp_signed("<=", total, high))


def _counter(reduce: Callable[[Any, Any, Any, Any], tuple[Any, Any]], in_groups: bool) -> Any:
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
        shift: Any,
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
            bits = signature.args[9].dtype.bitwidth
            if bits == 16 and reduce is not _saturate:
                return context.get_dummy_value()  # never called: only saturated sums are recounted in 16 bits
            lanes = group_lanes(bits)
            kind = code.vector(bits, lanes)
            low, high = (code.splat(builder, code.element(builder, edges_, code.index(i)), kind) for i in (0, 1))
            rows = [code.index(row * lanes) for row in range(STATE_ROWS)]
            registers = [code.Register(builder, code.load(builder, state_, row, kind)) for row in rows]
            total, fits, largest, smallest = registers  # fits counts from minus the events before, and becomes events
            fits.value = builder.sub(kind(None), fits.value)

            def term(position: Any) -> Any:
                return products_of(builder, x_, picks_, panel_, position, kind, arguments[8])

            with code.counting(builder, arguments[4], arguments[5]) as step:
                addend = summed_group(builder, ends_, step, term, kind) if in_groups else term(step)
                sum_ = builder.add(total.value, addend)
                if bits == 16:
                    total.value, _ = _saturate(builder, code.call(builder, "sadd.sat", total.value, addend), low, high)
                    seen = builder.sub(sum_, total.value)
                    is_held = builder.icmp_signed("==", sum_, total.value)
                else:
                    seen = sum_
                    total.value, is_held = reduce(builder, sum_, low, high)
                fits.value = builder.sub(fits.value, builder.sext(is_held, kind))
                largest.value = code.call(builder, "smax", largest.value, seen)
                smallest.value = code.call(builder, "smin", smallest.value, seen)
            steps = builder.sub(arguments[5], arguments[4])
            steps = builder.trunc(steps, kind.element) if bits < 64 else steps
            fits.value = builder.sub(code.splat(builder, steps, kind), fits.value)
            for register, row in zip(registers, rows, strict=True):
                code.store(builder, register.value, state_, row)
            return context.get_dummy_value()

        return signature, generate

    return count


saturate_products, saturate_groups = _counter(_saturate, False), _counter(_saturate, True)
wrap_products, wrap_groups = _counter(_wrap, False), _counter(_wrap, True)
keep_products, keep_groups = _counter(_keep, False), _counter(_keep, True)
