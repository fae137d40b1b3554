"""The vector loop of QLinearAdd: sixteen codes at a time, with counts of what was clipped."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hwsim.kernels.gemm.llvm import F32, I8, I32, I64, Loop, at, call, load_vector, own_function, splat, store_vector

LANES = 16
V8, V32, VF = (ir.VectorType(scalar, LANES) for scalar in (I8, I32, F32))


def add_function(module: ir.Module, is_signed: bool) -> ir.Function:
    """Return ``void add(a, b, count, ratio_a, ratio_b, fixed, top, low, high, out, counts)`` of ``module``.

    ``out[i] = clamp(rint(fma(a[i], ratio_a, fma(b[i], ratio_b, fixed))))`` in bytes, for a ``count`` of whole vectors; what
    is not below ``top`` counts as ``-top``. ``counts`` (int64) grow by the results below and above the bounds.
    """
    octets = I8.as_pointer()
    types_of_arguments = [octets, octets, I64, *[F32] * 6, octets, I64.as_pointer()]
    name = f"hwsim_add_{'int8' if is_signed else 'uint8'}"
    function = own_function(module, name, types_of_arguments, unrolls=True)
    if function is None:
        return module.globals[name]
    a, b, count, *numbers, out, counts = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    tallies = [builder.alloca(V32) for _ in range(2)]
    for tally in tallies:
        builder.store(ir.Constant(V32, [0] * LANES), tally)
    ratio_a, ratio_b, fixed, top, low, high = (splat(builder, number, LANES) for number in numbers)
    lowest = builder.fneg(top)
    to_float = builder.sitofp if is_signed else builder.uitofp

    def fma(*operands: ir.Value) -> ir.Value:
        return call(builder, f"llvm.fma.v{LANES}f32", VF, list(operands))

    with Loop(builder, count, LANES) as i:
        x, y = (to_float(load_vector(builder, at(builder, base, i), V8), VF) for base in (a, b))
        value = fma(x, ratio_a, fma(y, ratio_b, fixed))
        value = builder.select(builder.fcmp_ordered("<", value, top), value, lowest)
        code = call(builder, f"llvm.rint.v{LANES}f32", VF, [value])
        below, above = builder.fcmp_ordered("<", code, low), builder.fcmp_ordered(">", code, high)
        for tally, found in zip(tallies, (below, above), strict=True):
            builder.store(builder.sub(builder.load(tally), builder.sext(found, V32)), tally)
        kept = builder.select(above, high, builder.select(below, low, code))
        store_vector(builder, builder.trunc(builder.fptosi(kept, V32), V8), at(builder, out, i))
    for index, tally in enumerate(tallies):
        sum_of = call(builder, f"llvm.vector.reduce.add.v{LANES}i32", I32, [builder.load(tally)])
        place = builder.gep(counts, [I64(index)])
        builder.store(builder.add(builder.load(place), builder.sext(sum_of, I64)), place)
    builder.ret_void()
    return function


def _add_lanes(
    context: Any,
    a: Any,
    b: Any,
    count: Any,
    ratio_a: Any,
    ratio_b: Any,
    fixed: Any,
    top: Any,
    low: Any,
    high: Any,
    out: Any,
    counts: Any,
) -> Any:
    """Run ``add_function`` on arrays of bytes; ``a`` tells whether they are signed."""
    signature = types.void(a, b, types.intp, *[types.float32] * 6, out, counts)

    def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        first = [
            context.make_array(signature.args[index])(context, builder, arguments[index]).data
            for index in (0, 1, 9, 10)
        ]
        function = add_function(builder.module, signature.args[0].dtype.signed)
        builder.call(function, [*first[:2], *arguments[2:9], *first[2:]])
        return context.get_dummy_value()

    return signature, write


add_lanes: Any = intrinsic(_add_lanes)
