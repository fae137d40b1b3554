"""What every number format can do, whatever its kind: real numbers to codes, and codes to the integers that are multiplied."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import numpy as np

from hwsim.numerics.rounding import Rounding


class Format(Protocol):
    """The values that a wire can carry: ``real = unit * operand(code)``, exactly.

    A *code* is the bit pattern as it is stored, a number of ``storage_dtype``: signed for signed integers and fixed point,
    the raw bits for floating point, an index for a table. An *operand* is the exact integer that enters a multiplier, so
    that sums of products are computed in integers whatever the format.
    """

    @property
    def bits(self) -> int:
        """Width of a code in storage."""

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest numpy integer type that holds every code."""

    @property
    def unit(self) -> Fraction:
        """The real value of operand 1."""

    @property
    def operand_range(self) -> tuple[int, int]:
        """The smallest and the largest operand."""

    def encode_real(
        self, real: np.ndarray, *, rounding: Rounding = Rounding.HALF_EVEN, saturate: bool = True
    ) -> np.ndarray:
        """Return codes of ``real`` (any shape and floating type), as ``storage_dtype``.

        Args:
            real: numbers in real units.
            rounding: how a number between two values is rounded.
            saturate: whether numbers beyond the ends become the ends. If false, integers and fixed point wrap, and
                floating point gives infinity or NaN, as far as the format has them.
        """

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the real values of ``codes`` as float64."""

    def operands(self, codes: np.ndarray) -> np.ndarray:
        """Return the operands of ``codes`` as int64; raise HwsimError where 64 bits do not hold them, or for infinity and NaN."""
