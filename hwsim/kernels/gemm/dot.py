"""Dot products of 32-bit words: lanes of int32 that add two products of int16 pairs, or four of bytes.

``emit(builder, sums, a, b)`` writes the LLVM instructions for ``sums + dot(a, b)`` on vectors ``<lanes x i32>``; every word
of ``a`` and ``b`` holds two signed int16 (words), or four uint8 in ``a`` and four int8 in ``b`` (bytes). All sums are modulo
2^32, so that only the last one has to fit. The portable twins name no instruction of any processor and are equal lane by
lane: the packing and the tiling of a route are tested with them where its instruction is missing. (LLVM finds neither
instruction in plain loops reliably; the target intrinsics are exact names.)
"""

from __future__ import annotations

from llvmlite import ir

from hwsim.kernels.gemm.llvm import call, lanes


def _pairs(name: str, builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    halves = ir.VectorType(ir.IntType(16), 2 * lanes(sums).count)
    products = call(builder, name, sums.type, [builder.bitcast(a, halves), builder.bitcast(b, halves)])
    return builder.add(sums, products)


def avx2_words(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """Run vpmaddwd and vpaddd on 8 lanes."""
    return _pairs("llvm.x86.avx2.pmadd.wd", builder, sums, a, b)


def avx512_words(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """Run vpmaddwd and vpaddd on 16 lanes (LLVM fuses them into vpdpwssd where that exists)."""
    return _pairs("llvm.x86.avx512.pmaddw.d.512", builder, sums, a, b)


def avx2_bytes(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """Run vpmaddubsw, vpmaddwd with ones and vpaddd on 8 lanes: exact where no pair of products leaves 16 bits."""
    octets, halves = ir.VectorType(ir.IntType(8), 32), ir.VectorType(ir.IntType(16), 16)
    arguments = [builder.bitcast(a, octets), builder.bitcast(b, octets)]
    products = call(builder, "llvm.x86.avx2.pmadd.ub.sw", halves, arguments)
    return _pairs("llvm.x86.avx2.pmadd.wd", builder, sums, products, ir.Constant(halves, [1] * 16))


def avx2_byte_pairs(
    builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value, other_a: ir.Value, other_b: ir.Value
) -> ir.Value:
    """Run vpmaddubsw twice, vpaddw, vpmaddwd and vpaddd: two words with one product less, where 16 bits hold four products."""
    octets, halves = ir.VectorType(ir.IntType(8), 32), ir.VectorType(ir.IntType(16), 16)
    products = [
        call(builder, "llvm.x86.avx2.pmadd.ub.sw", halves, [builder.bitcast(x, octets), builder.bitcast(y, octets)])
        for x, y in ((a, b), (other_a, other_b))
    ]
    return _pairs("llvm.x86.avx2.pmadd.wd", builder, sums, builder.add(*products), ir.Constant(halves, [1] * 16))


def avx_vnni_bytes(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """Run vpdpbusd on 8 lanes: the form that wraps, not vpdpbusds."""
    return call(builder, "llvm.x86.avx512.vpdpbusd.256", sums.type, [sums, a, b])


def vnni_bytes(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """Run vpdpbusd on 16 lanes (with operands as words: LLVM 22 still reads the older form, and reads them as bytes)."""
    return call(builder, "llvm.x86.avx512.vpdpbusd.512", sums.type, [sums, a, b])


def _constant(value: ir.Value, number: int) -> ir.Constant:
    return ir.Constant(value.type, [number] * lanes(value).count)


def _signed_field(builder: ir.IRBuilder, words: ir.Value, first: int, bits: int) -> ir.Value:
    """Return ``bits`` of every word from bit ``first`` on, as signed integers."""
    left = builder.shl(words, _constant(words, 32 - bits - first))
    return builder.ashr(left, _constant(words, 32 - bits))


def portable_words(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """The twin of ``avx2_words`` and ``avx512_words``: shifts and 32-bit products."""
    for first in (0, 16):
        sums = builder.add(
            sums, builder.mul(_signed_field(builder, a, first, 16), _signed_field(builder, b, first, 16))
        )
    return sums


def portable_bytes(builder: ir.IRBuilder, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """The twin of ``vnni_bytes``: shifts and 32-bit products."""
    for first in (0, 8, 16, 24):
        unsigned = builder.and_(builder.lshr(a, _constant(a, first)), _constant(a, 255))
        sums = builder.add(sums, builder.mul(unsigned, _signed_field(builder, b, first, 8)))
    return sums
