"""Requantization in vectors: the steps from a sum to a clamped result, one function per form of arithmetic.

A step function takes int32 sums and the constants of their columns, and returns int32 results between the bounds, and the
masks of what lay below and above them.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from hwsim.kernels.gemm.llvm import F32, I32, I64, call, lanes

Steps = Callable[[ir.IRBuilder, ir.Value, "Column"], tuple[ir.Value, ir.Value, ir.Value]]


class Column:
    """The constants of a group of columns, in registers: tables per column and the bounds before the zero point."""

    def __init__(self, tables: list[ir.Value], floor: ir.Value, ceiling: ir.Value) -> None:
        self.tables, self.floor, self.ceiling = tables, floor, ceiling


def _clamped(
    builder: ir.IRBuilder, value: ir.Value, column: Column, less: Callable[..., ir.Value]
) -> tuple[ir.Value, ir.Value, ir.Value]:
    """Return ``value`` between the bounds and the masks of what lay below and above."""
    below, above = less(value, column.floor), less(column.ceiling, value)
    kept = builder.select(above, column.ceiling, builder.select(below, column.floor, value))
    return kept, below, above


def float32_steps(builder: ir.IRBuilder, sums: ir.Value, column: Column) -> tuple[ir.Value, ir.Value, ir.Value]:
    """``rint(float32(sum) * multiplier)``, clamped, as int32; the masks of what lay below and above."""
    count = lanes(sums).count
    reals = ir.VectorType(F32, count)
    product = builder.fmul(builder.sitofp(sums, reals), column.tables[0])
    steps = call(builder, f"llvm.rint.v{count}f32", reals, [product])
    kept, below, above = _clamped(builder, steps, column, lambda a, b: builder.fcmp_ordered("<", a, b))
    return builder.fptosi(kept, sums.type), below, above


def fixed_point_steps(builder: ir.IRBuilder, sums: ir.Value, column: Column) -> tuple[ir.Value, ir.Value, ir.Value]:
    """``sum * multiplier / 2^shift``, rounded and clamped, as int32; the masks of what lay below and above."""
    return _shifted(builder, _product(builder, sums, column), column)


def double_rounding_steps(builder: ir.IRBuilder, sums: ir.Value, column: Column) -> tuple[ir.Value, ir.Value, ir.Value]:
    """The upper half of ``2 * (sum << left) * multiplier``, rounded, then ``/ 2^shift``, rounded once more (gemmlowp)."""
    product = _product(builder, builder.shl(sums, column.tables[5]), column)
    nudged = builder.add(product, _everywhere(product, 1 << 30))
    return _shifted(builder, builder.ashr(nudged, _everywhere(product, 31)), column)


def _product(builder: ir.IRBuilder, sums: ir.Value, column: Column) -> ir.Value:
    """Return ``sum * multiplier`` in 64 bits."""
    wide = ir.VectorType(I64, lanes(sums).count)
    return builder.mul(builder.sext(sums, wide), builder.sext(column.tables[0], wide))


def _everywhere(value: ir.Value, number: int) -> ir.Constant:
    return ir.Constant(value.type, [number] * lanes(value).count)


def _shifted(builder: ir.IRBuilder, product: ir.Value, column: Column) -> tuple[ir.Value, ir.Value, ir.Value]:
    """``(p + base + (negative where p < 0) + (odd where the floor is odd)) >> shift`` of a product, clamped."""
    shift, base, negative, odd = column.tables[1:5]
    offset = builder.add(base, builder.and_(builder.ashr(product, _everywhere(product, 63)), negative))
    offset = builder.add(offset, builder.and_(builder.ashr(product, shift), odd))
    steps = builder.ashr(builder.add(product, offset), shift)
    kept, below, above = _clamped(builder, steps, column, lambda a, b: builder.icmp_signed("<", a, b))
    return builder.trunc(kept, ir.VectorType(I32, lanes(product).count)), below, above
