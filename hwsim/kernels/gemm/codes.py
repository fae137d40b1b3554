"""Blocks of sums to codes in bytes: one LLVM function per form of requantization, and its numba name.

Columns go in groups of lanes, so that the constants of a column are read once per block, then rows. A last group that is
not full masks its counts and stores byte by byte.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hwsim.kernels.gemm.llvm import F32, I8, I32, I64, Loop, at, call, load_vector, own_function, splat, store_vector
from hwsim.kernels.gemm.steps import (
    Column,
    Steps,
    double_rounding_steps,
    fixed_point_steps,
    float32_steps,
)

BELOW, ABOVE, SMALLEST, LARGEST = range(4)
# Rows of the table of 32-bit constants per column: what joins the sums, what joins them when they are counted, multipliers
# (or the bits of float32 ones), left shifts, offsets of the weights. The table of int64 holds the shifts and the three
# offsets of their rounding.
ADD, HELD, MULTIPLIER, LEFT, OFFSETS = range(5)
ROWS_32, ROWS_64 = 5, 4


def finish_function(
    module: ir.Module, name: str, steps: Steps, lanes: int, bound: ir.Type, tables: list[ir.Type]
) -> ir.Function:
    """Return ``void NAME(sums, stride, rows, columns, add, held, floor, ceiling, zero, out, out_stride, counts,
    tables...)``.

    ``out[i, j] = clamp(steps(sums[i, j] + add[j])) + zero`` in bytes; ``counts`` (int64) receives how many were below
    and above, and the smallest and largest ``sums + held``, 0 included. ``add``, ``held`` and ``tables`` hold whole groups
    of lanes; sums, ``add`` and ``held`` are 0 behind the last column.
    """
    pointers = [scalar.as_pointer() for scalar in tables]
    words, long_words, octets = I32.as_pointer(), I64.as_pointer(), I8.as_pointer()
    arguments = [words, I64, I64, I64, words, words, bound, bound, I32, octets, I64, long_words, *pointers]
    function = own_function(module, name, arguments, unrolls=True)
    if function is None:
        return module.globals[name]
    sums, stride, rows, columns, add, held, floor, ceiling, zero, out, out_stride, counts, *table_bases = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    vector, narrow = ir.VectorType(I32, lanes), ir.VectorType(I8, lanes)
    tallies = [builder.alloca(vector) for _ in range(4)]
    for tally in tallies:
        builder.store(ir.Constant(vector, [0] * lanes), tally)
    spare = builder.alloca(narrow)
    floors, ceilings, zeros = (splat(builder, value, lanes) for value in (floor, ceiling, zero))

    def group(j: ir.Value, left: ir.Value | None) -> None:
        """Finish the columns from ``j`` on, whole lanes or the ``left`` ones, of every row."""
        constants = [
            load_vector(builder, at(builder, base, j), ir.VectorType(scalar, lanes))
            for base, scalar in zip(table_bases, tables, strict=True)
        ]
        added, kept_back = (load_vector(builder, at(builder, table, j), vector) for table in (add, held))
        with Loop(builder, rows) as i:
            found = load_vector(builder, at(builder, sums, builder.mul(i, stride), j), vector)
            kept, *beyond = steps(builder, builder.add(found, added), Column(constants, floors, ceilings))
            if left is not None:
                places = ir.Constant(vector, list(range(lanes)))
                valid = builder.icmp_signed("<", places, splat(builder, builder.trunc(left, I32), lanes))
                beyond = [builder.and_(mask, valid) for mask in beyond]
            for tally, mask in zip((BELOW, ABOVE), beyond, strict=True):
                ones = builder.sext(mask, vector)
                builder.store(builder.sub(builder.load(tallies[tally]), ones), tallies[tally])
            seen = builder.add(found, kept_back)
            for tally, sign in ((SMALLEST, "<"), (LARGEST, ">")):
                old = builder.load(tallies[tally])
                builder.store(builder.select(builder.icmp_signed(sign, seen, old), seen, old), tallies[tally])
            codes = builder.trunc(builder.add(kept, zeros), narrow)
            target = at(builder, out, builder.mul(i, out_stride), j)
            if left is None:
                store_vector(builder, codes, target)
            else:
                builder.store(codes, spare)
                first = builder.bitcast(spare, octets)
                with Loop(builder, left) as t:
                    builder.store(builder.load(builder.gep(first, [t])), builder.gep(target, [t]))

    left = builder.and_(columns, I64(lanes - 1))
    whole = builder.sub(columns, left)
    with Loop(builder, whole, lanes) as j:
        group(j, None)
    with builder.if_then(builder.icmp_signed(">", left, I64(0))):
        group(whole, left)
    for tally, reduce in ((BELOW, "add"), (ABOVE, "add"), (SMALLEST, "smin"), (LARGEST, "smax")):
        value = call(builder, f"llvm.vector.reduce.{reduce}.v{lanes}i32", I32, [builder.load(tallies[tally])])
        place = builder.gep(counts, [I64(tally)])
        old, wide = builder.load(place), builder.sext(value, I64)
        if reduce == "add":
            builder.store(builder.add(old, wide), place)
        else:
            sign = "<" if reduce == "smin" else ">"
            builder.store(builder.select(builder.icmp_signed(sign, wide, old), wide, old), place)
    builder.ret_void()
    return function


def _finisher(
    name: str, steps: Steps, lanes: int, bound: Any, scalar: ir.Type, tables: list[tuple[ir.Type, int]]
) -> Any:
    """Return the numba intrinsic of one requantizer: arrays, and the element at which each is to be read.

    ``tables`` tells the type of each constant and its row: of ``table32``, or of ``table64`` where it is an int64.
    """

    def typed(
        context: Any,
        sums: Any,
        stride: Any,
        rows: Any,
        columns: Any,
        table32: Any,
        table64: Any,
        length: Any,
        at: Any,
        floor: Any,
        ceiling: Any,
        zero: Any,
        out: Any,
        out_at: Any,
        out_stride: Any,
        counts: Any,
    ) -> Any:
        place = types.intp
        scalars = (place, place, bound, bound, types.int32)
        signature = types.void(sums, place, place, place, table32, table64, *scalars, out, place, place, counts)

        def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            def first(index: int) -> ir.Value:
                return context.make_array(signature.args[index])(context, builder, arguments[index]).data

            _, stride, rows, columns, _, _, length, at, floor, ceiling, zero, _, out_at, out_stride, _ = arguments

            def row(number: int, kind: ir.Type) -> ir.Value:
                base = first(5 if kind == I64 else 4)
                start = builder.gep(base, [builder.add(at, builder.mul(length, I64(number)))])
                return builder.bitcast(start, kind.as_pointer())

            kinds = [kind for kind, _ in tables]
            function = finish_function(builder.module, f"hwsim_finish_{name}", steps, lanes, scalar, kinds)
            out = builder.gep(first(11), [out_at])
            constants = [row(number, kind) for kind, number in tables]
            bounds = [row(ADD, I32), row(HELD, I32), floor, ceiling, zero]
            builder.call(function, [first(0), stride, rows, columns, *bounds, out, out_stride, first(14), *constants])
            return context.get_dummy_value()

        return signature, write

    return intrinsic(typed)


# Multiplier; shift; base, negative and odd of the rounding; left shift.
FIXED_TABLES = [(I32, MULTIPLIER), *((I64, row) for row in range(ROWS_64)), (I32, LEFT)]
finish_float32 = _finisher("float32", float32_steps, 16, types.float32, F32, [(F32, MULTIPLIER)])
finish_fixed_point = _finisher("fixed_point", fixed_point_steps, 8, types.int64, I64, FIXED_TABLES)
finish_double_rounding = _finisher("double_rounding", double_rounding_steps, 8, types.int64, I64, FIXED_TABLES)
