"""The innermost loop of a depthwise convolution: one pixel, all channels, taps two by two.

Sixteen channels under two taps are interleaved into sixteen 32-bit words, one pair per channel, and met with the pairs of
weights by the route's dot product. The interleaving stays inside halves of a vector, where it is one instruction; the order
of channels in the two vectors of sums that follows from it is undone once per pixel.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hwsim.kernels.gemm.llvm import I16, I32, I64, at, load_vector, mask, own_function, splat, store_vector
from hwsim.kernels.gemm.route import ROUTES, Route

CHANNELS = 16
LOW = (0, 1, 2, 3, 8, 9, 10, 11)
HIGH = (4, 5, 6, 7, 12, 13, 14, 15)


def taps_function(module: ir.Module, route: Route, bits: int) -> ir.Function:
    """Return ``void taps(addresses, pairs, weights, channels, flip, sums)`` of ``module``, written on the first call.

    ``sums[c] = sum_t (x_t[c] ^ flip) * w_t[c]``: ``addresses`` (int64 ``[2 * pairs]``) tell where the codes of a tap's
    channels begin; ``weights`` are int16 ``[pairs, channels / 16, 16, 2]`` in the order ``LOW``, ``HIGH``; ``channels`` is
    a multiple of 16.
    """
    assert route.lanes * 2 == CHANNELS
    name = f"hwsim_taps_{route.name}_{bits}"
    code = ir.IntType(bits)
    function = own_function(module, name, [I64.as_pointer(), I64, I32.as_pointer(), I64, code, I32.as_pointer()])
    if function is None:
        return module.globals[name]
    addresses, pairs, weights, channels, flip, sums = function.args
    entry, outer, inner, done, end = (
        function.append_basic_block(label) for label in ("entry", "channel", "pair", "done", "end")
    )
    vector, halves, found = (
        ir.VectorType(I32, route.lanes),
        ir.VectorType(I16, CHANNELS),
        ir.VectorType(code, CHANNELS),
    )
    builder = ir.IRBuilder(entry)
    flips = splat(builder, flip, CHANNELS)
    builder.branch(outer)

    builder.position_at_end(outer)
    channel = builder.phi(I64)
    channel.add_incoming(I64(0), entry)
    builder.branch(inner)

    builder.position_at_end(inner)
    pair = builder.phi(I64)
    pair.add_incoming(I64(0), outer)
    held = [builder.phi(vector) for _ in range(2)]
    taps = []
    for which in range(2):
        place = at(builder, addresses, builder.mul(pair, I64(2)), which)
        base = builder.inttoptr(builder.load(place), code.as_pointer())
        codes = builder.xor(load_vector(builder, at(builder, base, channel), found), flips)
        taps.append(builder.zext(codes, halves) if bits == 8 else codes)
    first = builder.add(builder.mul(pair, channels), channel)
    new = []
    for half, places in enumerate((LOW, HIGH)):
        mixed = builder.shuffle_vector(*taps, mask([which * CHANNELS + c for c in places for which in range(2)]))
        words = load_vector(builder, at(builder, weights, first, half * route.lanes), vector)
        new.append(route.emit(builder, held[half], builder.bitcast(mixed, vector), words))
    following = builder.add(pair, I64(1))
    pair.add_incoming(following, inner)
    for half in range(2):
        held[half].add_incoming(ir.Constant(vector, [0] * route.lanes), outer)
        held[half].add_incoming(new[half], inner)
    builder.cbranch(builder.icmp_signed("<", following, pairs), inner, done)

    builder.position_at_end(done)
    stored = [*LOW, *HIGH]
    for half in range(2):
        order = mask([stored.index(c) for c in range(half * route.lanes, (half + 1) * route.lanes)])
        store_vector(builder, builder.shuffle_vector(*new, order), at(builder, sums, channel, half * route.lanes))
    more = builder.add(channel, I64(CHANNELS))
    channel.add_incoming(more, done)
    builder.cbranch(builder.icmp_signed("<", more, channels), outer, end)
    ir.IRBuilder(end).ret_void()
    return function


def _multiply_taps(
    context: Any, route: Any, code: Any, addresses: Any, pairs: Any, weights: Any, channels: Any, sums: Any, to: Any
) -> Any:
    """Run ``taps_function`` into ``sums[to:]``; ``route`` is an index of ``ROUTES``, ``code`` the flip in the codes' type."""
    if not isinstance(route, types.IntegerLiteral):
        return None
    chosen, place = ROUTES[route.literal_value], types.intp
    signature = types.void(route, code, addresses, place, weights, place, sums, place)

    def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        _, flip, addresses, pairs, weights, channels, sums, to = arguments
        first, words, into = (
            context.make_array(signature.args[index])(context, builder, array).data
            for index, array in ((2, addresses), (4, weights), (6, sums))
        )
        function = taps_function(builder.module, chosen, signature.args[1].bitwidth)
        builder.call(function, [first, pairs, words, channels, flip, builder.gep(into, [to])])
        return context.get_dummy_value()

    return signature, write


multiply_taps: Any = intrinsic(prefer_literal=True)(_multiply_taps)
