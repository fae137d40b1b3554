"""The innermost loop of the checkpointed pass: one chunk of k for a tile of outputs, its sums in registers.

At the end of the chunk the running sums are known exactly, and how far they can have strayed in between. Let ``before`` and
``after`` be a sum at the ends of a chunk, P the sum of its positive products and N the magnitude of the sum of its negative
ones. Any sum in between adds some of both, so it lies in ``before - N .. before + P``. With ``after - before = P - N`` and
``P + N <= B``:

    before + P = (before + after + (P + N)) / 2 <= (before + after + B) / 2
    before - N = (before + after - (P + N)) / 2 >= (before + after - B) / 2

so that ``2 |sum| <= |before + after| + B`` for every sum on the way, both ends included, in whatever order the products
come and however an adder tree groups them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hwsim.kernels.gemm.llvm import I32, I64, at, load_vector, own_function, splat, store_vector
from hwsim.kernels.gemm.route import ROUTES, Route
from hwsim.kernels.ordered import vector_code as code


def chunk_function(module: ir.Module, route: Route, bits: int) -> ir.Function:
    """Return ``void chunk(a, a_stride, w, words, a_norms, norm_stride, w_norms, sums, reaches)`` of ``module``.

    For every output of the tile: ``before = sums``, ``sums += sum_k dot(a, w)``, and ``reaches`` becomes at least
    ``|before + sums| + a_norm * w_norm``; both in ``bits`` bits, rows of ``route.columns``.
    """
    name = f"hwsim_chunk_{route.name}_{bits}"
    lane = ir.IntType(bits)
    words_at, lanes_at = I32.as_pointer(), lane.as_pointer()
    function = own_function(module, name, [words_at, I64, words_at, I64, words_at, I64, words_at, lanes_at, lanes_at])
    if function is None:
        return module.globals[name]
    a, a_stride, w, words, a_norms, norm_stride, w_norms, sums_at, reaches_at = function.args
    entry, body, done = (function.append_basic_block(label) for label in ("entry", "body", "done"))
    narrow, wide = ir.VectorType(I32, route.lanes), ir.VectorType(lane, route.lanes)
    tile = [(row, column) for row in range(route.rows) for column in range(route.vectors)]

    builder = ir.IRBuilder(entry)
    rows = [at(builder, a, builder.mul(a_stride, I64(row))) for row in range(route.rows)]
    builder.branch(body)

    builder.position_at_end(body)
    index = builder.phi(I64)
    deltas = {place: builder.phi(narrow) for place in tile}
    panel = at(builder, w, builder.mul(index, I64(route.columns)))
    columns = [
        load_vector(builder, at(builder, panel, column * route.lanes), narrow) for column in range(route.vectors)
    ]
    after = {}
    for row in range(route.rows):
        everywhere = splat(builder, builder.load(at(builder, rows[row], index), align=4), route.lanes)
        for column in range(route.vectors):
            after[row, column] = route.emit(builder, deltas[row, column], everywhere, columns[column])
    following, zero = builder.add(index, I64(1)), ir.Constant(narrow, [0] * route.lanes)
    builder.cbranch(builder.icmp_unsigned("<", following, words), body, done)
    index.add_incoming(I64(0), entry)
    index.add_incoming(following, body)
    for place in tile:
        deltas[place].add_incoming(zero, entry)
        deltas[place].add_incoming(after[place], body)

    builder.position_at_end(done)

    def widened(vector: Any) -> Any:
        return vector if bits == 32 else builder.sext(vector, wide)

    norms = [
        load_vector(builder, at(builder, w_norms, column * route.lanes), narrow) for column in range(route.vectors)
    ]
    for row in range(route.rows):
        norm = splat(builder, builder.load(at(builder, a_norms, builder.mul(norm_stride, I64(row)))), route.lanes)
        for column in range(route.vectors):
            offset = row * route.columns + column * route.lanes
            before = load_vector(builder, at(builder, sums_at, offset), wide)
            total = builder.add(before, widened(after[row, column]))
            store_vector(builder, total, at(builder, sums_at, offset))
            both = builder.add(before, total)
            size = code.call(builder, "smax", both, builder.sub(wide(None), both))
            reach = builder.add(size, widened(builder.mul(norm, norms[column])))
            known = load_vector(builder, at(builder, reaches_at, offset), wide)
            store_vector(builder, code.call(builder, "smax", known, reach), at(builder, reaches_at, offset))
    builder.ret_void()
    return function


def _advance_chunk(
    context: Any,
    route: Any,
    a: Any,
    a_at: Any,
    w: Any,
    w_at: Any,
    words: Any,
    a_norms: Any,
    row: Any,
    c: Any,
    w_norms: Any,
    tile: Any,
    sums: Any,
    reaches: Any,
    sums_at: Any,
) -> Any:
    """Run ``chunk_function`` on the tile at element ``sums_at`` of ``sums`` and ``reaches``.

    Args:
        context: of numba's typing.
        route: index of ``ROUTES``, known when compiled.
        a: int32 ``[rows, words]``.
        a_at: element of ``a``.
        w: int32 ``[tiles, words, columns]``.
        w_at: element of ``w``.
        words: of the chunk.
        a_norms: int32 ``[rows, chunks]``.
        row: of ``a_norms``.
        c: the chunk.
        w_norms: int32 ``[tiles, chunks, columns]``.
        tile: of ``w_norms``.
        sums: lanes.
        reaches: lanes.
        sums_at: element of both.
    """
    if not isinstance(route, types.IntegerLiteral):
        return None
    chosen = ROUTES[route.literal_value]
    place = types.intp
    signature = types.void(
        route, a, place, w, place, place, a_norms, place, place, w_norms, place, sums, reaches, place
    )

    def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        a_at, w_at, words, row, c, tile, sums_at = (arguments[index] for index in (2, 4, 5, 7, 8, 10, 13))

        def array(index: int) -> Any:
            return context.make_array(signature.args[index])(context, builder, arguments[index])

        def stride(index: int) -> Any:
            return builder.extract_value(array(index).shape, 1)

        chunks = stride(6)
        norms_at = builder.mul(builder.add(builder.mul(tile, chunks), c), I64(chosen.columns))
        builder.call(
            chunk_function(builder.module, chosen, signature.args[11].dtype.bitwidth),
            [
                at(builder, array(1).data, a_at),
                stride(1),
                at(builder, array(3).data, w_at),
                words,
                at(builder, array(6).data, builder.add(builder.mul(row, chunks), c)),
                chunks,
                at(builder, array(9).data, norms_at),
                at(builder, array(11).data, sums_at),
                at(builder, array(12).data, sums_at),
            ],
        )
        return context.get_dummy_value()

    return signature, write


advance_chunk: Any = intrinsic(prefer_literal=True)(_advance_chunk)
