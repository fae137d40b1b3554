"""The innermost loop: a tile of sums in registers, one dot product per sum and word along k.

Each tile is a function of its own inside the caller's module, so that no other loop shares its registers, and marked
``optsize``, which keeps LLVM from unrolling it (an unrolled body spills two of its sums).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hwsim.kernels.gemm.llvm import BIT, I8, I32, I64, at, load_vector, own_function, splat, store_vector
from hwsim.kernels.gemm.route import ROUTES, Route

WORDS, OCTETS = I32.as_pointer(), I8.as_pointer()
Sums = dict[tuple[int, int], ir.Value]


def tile_function(module: ir.Module, route: Route) -> ir.Function:
    """Return ``void tile(a, a_stride, b, short, words, c, c_stride, adds)`` of ``module``, written on the first call.

    ``c[r, j] (+)= sum_k dot(a[r, k], b[k, j])`` for the rows and columns of ``route``'s tile; strides in 32-bit words,
    ``b`` packed without gaps, ``words`` at least 1; ``adds`` tells whether c counts as the start. A route with
    ``emit_pair`` takes two words at a time (``words`` is even), the short way where ``short`` (bytes) is not 0.
    """
    name = f"hwsim_tile_{route.name}"
    function = own_function(module, name, [WORDS, I64, WORDS, OCTETS, I64, WORDS, I64, BIT])
    if function is None:
        return module.globals[name]
    a, a_stride, b, short, words, c, c_stride, adds = function.args
    entry, load, body, done = (function.append_basic_block(label) for label in ("entry", "load", "body", "done"))
    vector = ir.VectorType(I32, route.lanes)
    tile = [(row, column) for row in range(route.rows) for column in range(route.vectors)]

    builder = ir.IRBuilder(entry)
    rows = [at(builder, a, builder.mul(a_stride, I64(row))) for row in range(route.rows)]
    sums_at = {
        (row, column): at(builder, c, builder.mul(c_stride, I64(row)), column * route.lanes) for row, column in tile
    }
    builder.cbranch(adds, load, body)

    builder.position_at_end(load)
    before = {place: load_vector(builder, sums_at[place], vector) for place in tile}
    builder.branch(body)

    builder.position_at_end(body)
    index = builder.phi(I64)
    sums = {place: builder.phi(vector) for place in tile}

    def column_words(word: int) -> list[ir.Value]:
        panel = at(builder, b, builder.mul(builder.add(index, I64(word)), I64(route.columns)))
        return [
            load_vector(builder, at(builder, panel, column * route.lanes), vector) for column in range(route.vectors)
        ]

    def row_word(row: int, word: int) -> ir.Value:
        return splat(builder, builder.load(at(builder, rows[row], index, word), align=4), route.lanes)

    def added_one_by_one() -> Sums:
        found = sums
        for word in range(route.depth):
            columns, before = column_words(word), found
            found = {}
            for row in range(route.rows):
                everywhere = row_word(row, word)
                for column in range(route.vectors):
                    found[row, column] = route.emit(builder, before[row, column], everywhere, columns[column])
        return found

    def added_in_pairs() -> Sums:
        assert route.emit_pair is not None
        columns, found = [column_words(word) for word in range(route.depth)], {}
        for row in range(route.rows):
            pair = [row_word(row, word) for word in range(route.depth)]
            for column in range(route.vectors):
                operands = pair[0], columns[0][column], pair[1], columns[1][column]
                found[row, column] = route.emit_pair(builder, sums[row, column], *operands)
        return found

    if route.emit_pair is None:
        after = added_one_by_one()
    else:
        flag = builder.load(builder.gep(short, [builder.lshr(index, I64(1))]))
        ways = []
        with builder.if_else(builder.icmp_unsigned("!=", flag, I8(0)), likely=True) as branches:
            for branch, add in zip(branches, (added_in_pairs, added_one_by_one), strict=True):
                with branch:
                    ways.append((add(), builder.block))
        after = {place: builder.phi(vector) for place in tile}
        for found, block in ways:
            for place in tile:
                after[place].add_incoming(found[place], block)
    following, zero = builder.add(index, I64(route.depth)), ir.Constant(vector, [0] * route.lanes)
    builder.cbranch(builder.icmp_unsigned("<", following, words), body, done)
    for source, start in ((entry, None), (load, before)):
        index.add_incoming(I64(0), source)
        for place in tile:
            sums[place].add_incoming(zero if start is None else start[place], source)
    index.add_incoming(following, builder.block)
    for place in tile:
        sums[place].add_incoming(after[place], builder.block)

    builder.position_at_end(done)
    for place in tile:
        store_vector(builder, after[place], sums_at[place])
    builder.ret_void()
    return function


def _multiply_tile(
    context: Any,
    route: Any,
    a: Any,
    a_at: Any,
    a_stride: Any,
    b: Any,
    b_at: Any,
    short: Any,
    short_at: Any,
    words: Any,
    c: Any,
    c_at: Any,
    c_stride: Any,
    adds: Any,
) -> Any:
    """Multiply one tile: ``tile_function`` on int32 arrays and offsets into them; ``route`` is an index of ``ROUTES``.

    numba asks with a plain integer first and with the constant behind it afterwards, which picks the route at compile time:
    code for other routes is never written.
    """
    if not isinstance(route, types.IntegerLiteral):
        return None
    chosen = ROUTES[route.literal_value]
    place = types.intp
    signature = types.void(route, a, place, place, b, place, short, place, place, c, place, place, types.boolean)

    def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        _, a, a_at, a_stride, b, b_at, short, short_at, words, c, c_at, c_stride, adds = arguments
        first_a, first_b, first_short, first_c = (
            context.make_array(signature.args[index])(context, builder, array).data
            for index, array in ((1, a), (4, b), (6, short), (9, c))
        )
        builder.call(
            tile_function(builder.module, chosen),
            [
                at(builder, first_a, a_at),
                a_stride,
                at(builder, first_b, b_at),
                at(builder, first_short, short_at),
                words,
                at(builder, first_c, c_at),
                c_stride,
                adds if adds.type == BIT else builder.trunc(adds, BIT),
            ],
        )
        return context.get_dummy_value()

    return signature, write


multiply_tile: Any = intrinsic(prefer_literal=True)(_multiply_tile)
