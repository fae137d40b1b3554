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
    LANES,
    V32,
    Column,
    Steps,
    double_rounding_steps,
    fixed_point_steps,
    float32_steps,
)

V8 = ir.VectorType(I8, LANES)
BELOW, ABOVE, SMALLEST, LARGEST = range(4)


def finish_function(module: ir.Module, name: str, steps: Steps, bound: ir.Type, tables: list[ir.Type]) -> ir.Function:
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
    none = ir.Constant(V32, [0] * LANES)
    tallies = [builder.alloca(V32) for _ in range(4)]
    for tally in tallies:
        builder.store(none, tally)
    spare = builder.alloca(V8)
    floors, ceilings, zeros = (splat(builder, value, LANES) for value in (floor, ceiling, zero))
    places = ir.Constant(V32, list(range(LANES)))
    with Loop(builder, columns, LANES) as j:
        left = builder.sub(columns, j)
        valid = builder.icmp_signed("<", places, splat(builder, builder.trunc(left, I32), LANES))
        is_full = builder.icmp_signed(">=", left, I64(LANES))
        constants = [
            load_vector(builder, at(builder, base, j), ir.VectorType(scalar, LANES))
            for base, scalar in zip(table_bases, tables, strict=True)
        ]
        column = Column(constants, floors, ceilings)
        added, kept_back = (load_vector(builder, at(builder, table, j), V32) for table in (add, held))
        with Loop(builder, rows) as i:
            found = load_vector(builder, at(builder, sums, builder.mul(i, stride), j), V32)
            total = builder.add(found, added)
            kept, below, above = steps(builder, total, column)
            for tally, mask in ((BELOW, below), (ABOVE, above)):
                ones = builder.sext(builder.and_(mask, valid), V32)
                builder.store(builder.sub(builder.load(tallies[tally]), ones), tallies[tally])
            seen = builder.add(found, kept_back)
            for tally, sign in ((SMALLEST, "<"), (LARGEST, ">")):
                old = builder.load(tallies[tally])
                builder.store(builder.select(builder.icmp_signed(sign, seen, old), seen, old), tallies[tally])
            codes = builder.trunc(builder.add(kept, zeros), V8)
            target = at(builder, out, builder.mul(i, out_stride), j)
            with builder.if_else(is_full, likely=True) as (full, part):
                with full:
                    store_vector(builder, codes, target)
                with part:
                    builder.store(codes, spare)
                    first = builder.bitcast(spare, octets)
                    with Loop(builder, left) as t:
                        builder.store(builder.load(builder.gep(first, [t])), builder.gep(target, [t]))
    for tally, reduce in ((BELOW, "add"), (ABOVE, "add"), (SMALLEST, "smin"), (LARGEST, "smax")):
        value = call(builder, f"llvm.vector.reduce.{reduce}.v{LANES}i32", I32, [builder.load(tallies[tally])])
        place = builder.gep(counts, [I64(tally)])
        old, wide = builder.load(place), builder.sext(value, I64)
        if reduce == "add":
            builder.store(builder.add(old, wide), place)
        else:
            sign = "<" if reduce == "smin" else ">"
            builder.store(builder.select(builder.icmp_signed(sign, wide, old), wide, old), place)
    builder.ret_void()
    return function


def _finisher(name: str, steps: Steps, bound: Any, scalar: ir.Type, tables: list[ir.Type]) -> Any:
    """Return the numba intrinsic of one requantizer: arrays, and the element at which each is to be read.

    The second half of ``add`` is ``held``.
    """

    def typed(
        context: Any,
        sums: Any,
        stride: Any,
        rows: Any,
        columns: Any,
        add: Any,
        at: Any,
        floor: Any,
        ceiling: Any,
        zero: Any,
        out: Any,
        out_at: Any,
        out_stride: Any,
        counts: Any,
        constants: Any,
    ) -> Any:
        place = types.intp
        scalars = (place, bound, bound, types.int32)
        signature = types.void(sums, place, place, place, add, *scalars, out, place, place, counts, constants)

        def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            def first(index: int, at: ir.Value | None = None) -> ir.Value:
                base = context.make_array(signature.args[index])(context, builder, arguments[index]).data
                return base if at is None else builder.gep(base, [at])

            _, stride, rows, columns, _, at, floor, ceiling, zero, _, out_at, out_stride, _, tuples = arguments
            added = context.make_array(signature.args[4])(context, builder, arguments[4])
            second = builder.add(at, builder.udiv(added.nitems, I64(2)))
            bases = []
            for index, array in enumerate(signature.args[13]):
                value = builder.extract_value(tuples, index)
                bases.append(builder.gep(context.make_array(array)(context, builder, value).data, [at]))
            function = finish_function(builder.module, f"hwsim_finish_{name}", steps, scalar, tables)
            builder.call(
                function,
                [
                    first(0),
                    stride,
                    rows,
                    columns,
                    first(4, at),
                    first(4, second),
                    floor,
                    ceiling,
                    zero,
                    first(9, out_at),
                    out_stride,
                    first(12),
                    *bases,
                ],
            )
            return context.get_dummy_value()

        return signature, write

    return intrinsic(typed)


finish_float32 = _finisher("float32", float32_steps, types.float32, F32, [F32])
FIXED_TABLES = [I32, I64, I64, I64, I64, I32]  # multiplier; shift; base, negative, odd of the rounding; left shift
finish_fixed_point = _finisher("fixed_point", fixed_point_steps, types.int64, I64, FIXED_TABLES)
finish_double_rounding = _finisher("double_rounding", double_rounding_steps, types.int64, I64, FIXED_TABLES)
