"""Copy a run of activation codes into packed words: flipped, centred, widened, sixteen at a time.

The last vector may read and write beyond its run: inside the array of codes (else the run is copied one by one), and
over what the caller writes next or over the slack behind a block.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from hwsim.kernels.gemm.llvm import I64, own_function, splat

RUN = 16


def _loop(function: ir.Function, count: ir.Value, step: int, source: ir.Type, target: ir.Type) -> ir.Block:
    """Append a loop over ``count`` elements that reads ``source`` and writes ``target``; return its first block."""
    codes, block, _, _, flip, centre = function.args
    lanes = target.count if isinstance(target, ir.VectorType) else 1
    before, head, body, done = (function.append_basic_block(name) for name in ("before", "head", "body", "done"))
    builder = ir.IRBuilder(before)
    flips, centres = (value if lanes == 1 else splat(builder, value, lanes) for value in (flip, centre))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    builder.cbranch(builder.icmp_signed("<", index, count), body, done)
    builder.position_at_end(body)
    address = builder.bitcast(builder.gep(codes, [index]), source.as_pointer())
    found = builder.xor(builder.load(address, align=1), flips)
    if source != target:
        # Bytes are unsigned after the flip.
        found = builder.zext(found, target)
    address = builder.bitcast(builder.gep(block, [index]), target.as_pointer())
    builder.store(builder.sub(found, centres), address, align=1)
    index.add_incoming(builder.add(index, I64(step)), body)
    builder.branch(head)
    ir.IRBuilder(done).ret_void()
    return before


def run_function(module: ir.Module, source_bits: int, target_bits: int) -> ir.Function:
    """Return ``void run(codes, block, count, room, flip, centre)`` of ``module``, written on the first call.

    ``block[t] = (codes[t] ^ flip) - centre`` for t below ``count``; ``room`` tells how many codes may be read.
    """
    name = f"hwsim_run_{source_bits}_{target_bits}"
    source, target = ir.IntType(source_bits), ir.IntType(target_bits)
    function = own_function(module, name, [source.as_pointer(), target.as_pointer(), I64, I64, source, target])
    if function is None:
        return module.globals[name]
    for argument in function.args[:2]:
        argument.add_attribute("noalias")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    _, _, count, room, _, _ = function.args
    rounded = builder.and_(builder.add(count, I64(RUN - 1)), I64(-RUN))
    fits = builder.icmp_signed("<=", rounded, room)
    fast = _loop(function, count, RUN, ir.VectorType(source, RUN), ir.VectorType(target, RUN))
    slow = _loop(function, count, 1, source, target)
    builder.cbranch(fits, fast, slow)
    return function


def _copy_run(
    context: Any, codes: Any, at: Any, room: Any, block: Any, to: Any, count: Any, flip: Any, centre: Any
) -> Any:
    """Run ``run_function`` from ``codes[at:]`` to ``block[to:]``; flip and centre have the arrays' types."""
    place = types.intp
    signature = types.void(codes, place, place, block, place, place, codes.dtype, block.dtype)

    def write(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        codes, at, room, block, to, count, flip, centre = arguments
        source, target = signature.args[0], signature.args[3]
        first = builder.gep(context.make_array(source)(context, builder, codes).data, [at])
        written = builder.gep(context.make_array(target)(context, builder, block).data, [to])
        function = run_function(builder.module, source.dtype.bitwidth, target.dtype.bitwidth)
        builder.call(function, [first, written, count, room, flip, centre])
        return context.get_dummy_value()

    return signature, write


copy_run: Any = intrinsic(_copy_run)
