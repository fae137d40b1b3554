"""The innermost loop of the optimistic pass: running sums of one row, with their largest and smallest values.

Nothing is reduced here. As long as every sum on the way fits its register no reduction would change it, and the largest
and the smallest sum tell whether one did not. 16-bit lanes add with saturation to 16 bits, so that a sum beyond them
shows as one at their end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from hwsim.kernels.ordered import vector_code as code

TILE_BITS = 1024  # of a tile's sums: 64 lanes of 16 bits. With maxima and minima they fill 12 of AVX2's 16 registers.


def tile_lanes(bits: int) -> int:
    """Return how many outputs of one row are summed side by side in lanes of ``bits`` bits.

    >>> tile_lanes(16), tile_lanes(32)
    (64, 32)
    """
    return TILE_BITS // bits


def products_of(builder: Any, x: Any, picks: Any, panel: Any, position: Any, kind: Any, shift: Any) -> Any:
    """Return ``x[position] * panel[picks[position], shift ...]`` as a vector of type ``kind``.

    ``panel`` has rows of ``tile_lanes`` of its own element; narrower elements are sign-extended to ``kind``.
    """
    bits = panel.type.pointee.width
    row = builder.sext(code.element(builder, picks, position), code.INDEX)
    place = builder.add(builder.mul(row, code.index(tile_lanes(bits))), shift)
    weights = code.load(builder, panel, place, code.vector(bits, kind.count))
    scalar = code.element(builder, x, position)
    if bits < kind.element.width:
        weights, scalar = builder.sext(weights, kind), builder.sext(scalar, kind.element)
    return builder.mul(code.splat(builder, scalar, kind), weights)


def summed_group(builder: Any, ends: Any, group: Any, term: Callable[[Any], Any], kind: Any) -> Any:
    """Return the exact sum of the products of one group of an adder tree: those before ``ends[group + 1]``."""
    bounds = [code.element(builder, ends, place) for place in (group, builder.add(group, code.index(1)))]
    first, last = (builder.sext(bound, code.INDEX) for bound in bounds)
    total = code.Register(builder, kind(None))
    with code.counting(builder, first, last) as position:
        total.value = builder.add(total.value, term(position))
    return total.value


def _sweep(in_groups: bool) -> Any:
    @intrinsic
    def sweep(
        _: Any, x: Any, picks: Any, ends: Any, i: Any, begin: Any, end: Any, panels: Any, panel: Any, sums: Any
    ) -> Any:
        signature = types.void(x, picks, ends, types.intp, types.intp, types.intp, panels, types.intp, sums)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def entry(argument: int, number: Any) -> Any:
                return code.row(context, builder, signature.args[argument], arguments[argument], number)

            x_, picks_, ends_, sums_ = (entry(argument, arguments[3]) for argument in (0, 1, 2, 8))
            panel_ = entry(6, arguments[7])
            bits = signature.args[8].dtype.bitwidth
            lanes = tile_lanes(bits)
            kind = code.vector(bits, lanes)
            rows = [code.index(row * lanes) for row in range(3)]
            total, largest, smallest = (code.Register(builder, code.load(builder, sums_, row, kind)) for row in rows)

            def term(position: Any) -> Any:
                return products_of(builder, x_, picks_, panel_, position, kind, code.index(0))

            with code.counting(builder, arguments[4], arguments[5]) as step:
                addend = summed_group(builder, ends_, step, term, kind) if in_groups else term(step)
                held = total.value
                total.value = code.call(builder, "sadd.sat", held, addend) if bits == 16 else builder.add(held, addend)
                largest.value = code.call(builder, "smax", largest.value, total.value)
                smallest.value = code.call(builder, "smin", smallest.value, total.value)
            for register, row in zip((total, largest, smallest), rows, strict=True):
                code.store(builder, register.value, sums_, row)
            return context.get_dummy_value()

        return signature, generate

    return sweep


sweep_products = _sweep(in_groups=False)
sweep_groups = _sweep(in_groups=True)


def _deposit(_: Any, sums: Any, i: Any, totals: Any) -> Any:
    """Add the sums of row i to its totals and follow their extremes; the sums become zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        narrow, wide = (code.row(context, builder, signature.args[j], arguments[j], arguments[1]) for j in (0, 2))
        from_bits, to_bits = (signature.args[j].dtype.bitwidth for j in (0, 2))
        lanes = tile_lanes(from_bits)
        kind, narrow_kind = code.vector(to_bits, lanes), code.vector(from_bits, lanes)
        rows = [code.index(row * lanes) for row in range(3)]
        partial = code.load(builder, narrow, rows[0], narrow_kind)
        code.store(builder, narrow_kind(None), narrow, rows[0])
        total, largest, smallest = (code.load(builder, wide, row, kind) for row in rows)
        total = builder.add(total, builder.sext(partial, kind) if from_bits < to_bits else partial)
        code.store(builder, total, wide, rows[0])
        code.store(builder, code.call(builder, "smax", largest, total), wide, rows[1])
        code.store(builder, code.call(builder, "smin", smallest, total), wide, rows[2])
        return context.get_dummy_value()

    return types.void(sums, types.intp, totals), generate


deposit: Any = intrinsic(_deposit)
