"""Pieces of LLVM vector code for ``numba.extending.intrinsic``: values of many lanes that live in registers.

Vectors are written wider than any machine's (``<64 x i16>``); LLVM cuts them into the registers that the CPU has, AVX2,
AVX-512 or NEON, so that one source serves all. Only generic LLVM operations are used, no instruction of one CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.np.arrayobj import make_array

INDEX = ir.IntType(64)


def index(value: int) -> Any:
    """Return a constant of the type of array positions."""
    return ir.Constant(INDEX, value)


def vector(bits: int, lanes: int) -> Any:
    """Return the type of ``lanes`` integers of ``bits`` bits."""
    return ir.VectorType(ir.IntType(bits), lanes)


def row(context: Any, builder: Any, kind: Any, array: Any, number: Any = None) -> Any:
    """Return the pointer to the first element of a C-contiguous numba array, or of its entry ``number``.

    A slice taken in numba code would do the same, but counts references, which costs as much as a short sum.
    """
    fields = make_array(kind)(context, builder, array)
    if number is None:
        return fields.data
    offset = number
    for size in cgutils.unpack_tuple(builder, fields.shape)[1:]:
        offset = builder.mul(offset, size)
    return builder.gep(fields.data, [offset])


def element(builder: Any, pointer: Any, position: Any) -> Any:
    """Return ``pointer[position]``."""
    return builder.load(builder.gep(pointer, [position]))


def load(builder: Any, pointer: Any, position: Any, kind: Any) -> Any:
    """Return the vector of type ``kind`` at element ``position``; it need not be aligned."""
    place = builder.bitcast(builder.gep(pointer, [position]), kind.as_pointer())
    return builder.load(place, align=kind.element.width // 8)


def store(builder: Any, value: Any, pointer: Any, position: Any) -> None:
    """Write a vector at element ``position``; it need not be aligned."""
    place = builder.bitcast(builder.gep(pointer, [position]), value.type.as_pointer())
    builder.store(value, place, align=value.type.element.width // 8)


def splat(builder: Any, scalar: Any, kind: Any) -> Any:
    """Return a vector with ``scalar`` in every lane."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(vector(32, kind.count), [0] * kind.count))


def call(builder: Any, name: str, *vectors: Any) -> Any:
    """Return ``llvm.NAME`` of the vectors: ``smin``, ``smax``, ``sadd.sat``."""
    kind = vectors[0].type
    shape = ir.FunctionType(kind, [kind] * len(vectors))
    function = cgutils.get_or_insert_function(builder.module, shape, f"llvm.{name}.v{kind.count}i{kind.element.width}")
    return builder.call(function, vectors)


class Register:
    """A vector that a loop changes; LLVM keeps it in a CPU register."""

    def __init__(self, builder: Any, value: Any):
        self._builder = builder
        self._place = cgutils.alloca_once(builder, value.type)
        self.value = value

    @property
    def value(self) -> Any:
        """What it holds at this point of the code."""
        return self._builder.load(self._place)

    @value.setter
    def value(self, value: Any) -> None:
        self._builder.store(value, self._place)


@contextmanager
def counting(builder: Any, begin: Any, end: Any, step: int = 1) -> Iterator[Any]:
    """Emit a loop over ``begin .. end - 1`` in steps; yields the counter."""
    with cgutils.for_range_slice(builder, begin, end, index(step), INDEX) as (position, _):
        yield position
