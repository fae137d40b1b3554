"""One array of golden vectors, with everything that a memory of a test bench must know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.errors import HwsimError

MAX_BITS = 64
FLOATS = {"float32": 32, "float64": 64}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vector:
    """An array at the width of the wire or register that carries it.

    Args:
        name: file name without its ending, such as ``psum``.
        values: integers of any shape, the last axis fastest; float32 or float64 for real numbers.
        bits: width of one word, 1..64; of real numbers their own.
        signed: two's complement if true, plain binary otherwise (of no meaning for real numbers).
        axes: a name for each axis, outermost first.
        about: one sentence.

    Raises:
        HwsimError: values that ``bits`` cannot hold, or axes that do not match.
    """

    name: str
    values: np.ndarray
    bits: int
    signed: bool
    axes: tuple[str, ...]
    about: str

    def __post_init__(self) -> None:
        if len(self.axes) != self.values.ndim:
            raise HwsimError(f"vectors: {self.name!r} has {self.values.ndim} axes but names {', '.join(self.axes)}")
        if self.is_float:
            if self.bits != FLOATS.get(self.kind):
                raise HwsimError(
                    f"vectors: {self.name!r} is {self.values.dtype} of {self.bits} bits; real numbers must be float32 or "
                    "float64, of 32 or 64 bits"
                )
            return
        if self.values.dtype.kind not in "iu":
            raise HwsimError(f"vectors: {self.name!r} is {self.values.dtype}; it must hold integers or real numbers")
        if not 1 <= self.bits <= MAX_BITS:
            raise HwsimError(f"vectors: {self.name!r} must be 1..{MAX_BITS} bits wide, not {self.bits}")
        low, high = (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) if self.signed else (0, (1 << self.bits) - 1)
        if self.values.size and not (low <= int(self.values.min()) and int(self.values.max()) <= high):
            raise HwsimError(
                f"vectors: {self.name!r} holds {self.values.min()}..{self.values.max()}, which "
                f"{'a signed' if self.signed else 'an unsigned'} word of {self.bits} bits does not; state a wider one"
            )

    @property
    def is_float(self) -> bool:
        """Whether the words are IEEE 754 numbers."""
        return self.values.dtype.kind == "f"

    @property
    def kind(self) -> str:
        """``signed``, ``unsigned``, ``float32`` or ``float64``."""
        return str(self.values.dtype) if self.is_float else "signed" if self.signed else "unsigned"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerVectors:
    """The golden vectors of one layer.

    Args:
        layer: the layer's name.
        facts: what the index says of it beside the files: JSON data.
        parameters: integers that a test bench is built with, by SystemVerilog name; empty where no bench is made.
        vectors: the arrays.
        left_out: why an array is missing, by its name.
    """

    layer: str
    facts: Mapping[str, Any]
    parameters: Mapping[str, int]
    vectors: tuple[Vector, ...]
    left_out: Mapping[str, str]
