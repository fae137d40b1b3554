"""Floating-point formats of any exponent and mantissa width: fp16, bf16, the fp8, fp6 and fp4 types, and e8m0 scales.

Text form: ``fp<bits>e<exponent bits>m<mantissa bits>[b<bias>][fn|fnuz|ieee|finite][:flush][:max<largest>]``, as fp8e4m3fn.
Without a suffix a format of 8 or more bits keeps its top exponent for infinity and NaN (IEEE 754), a narrower one has
neither (OCP MX). ``fp16``, ``bf16``, ``fp32`` and ``e8m0`` are short forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats import float_codes
from hwsim.numerics.formats.storage import integer_dtype
from hwsim.numerics.rounding import Rounding

_TEXT = re.compile(
    r"fp([1-9][0-9]?)e([1-9][0-9]?)m([0-9][0-9]?)(?:b(-?[0-9]+))?(fnuz|fn|ieee|finite)?(:flush)?(?::max([0-9][0-9.e+-]*))?"
)
_SHORT = {"fp16": "fp16e5m10", "bf16": "fp16e8m7", "fp32": "fp32e8m23"}
MAX_BITS = 32
OPERAND_BITS = 63


class Specials(StrEnum):
    """Which codes are no numbers."""

    IEEE = "ieee"
    """The top exponent is infinity (mantissa 0) or NaN."""
    FN = "fn"
    """No infinity; all ones in exponent and mantissa is NaN."""
    FNUZ = "fnuz"
    """No infinity and no negative zero; the code of negative zero is NaN."""
    FINITE = "finite"
    """Every code is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatFormat:
    """A sign, ``exponent_bits`` and ``mantissa_bits``: ``(-1)^s * 1.m * 2^(e - bias)``, and ``0.m * 2^(1 - bias)`` at e = 0.

    Args:
        exponent_bits: 1 to 11.
        mantissa_bits: 0 to 23, without the leading one.
        bias: of the exponent; None for ``2^(exponent_bits-1) - 1``, one more with ``fnuz``.
        specials: which codes are no numbers.
        signed: false for scales (e8m0), which have neither a sign bit nor zero.
        subnormals: whether numbers below the smallest normal one exist besides zero.
        largest: a smaller maximum than the exponent allows (QONNX's ``max_val``), or None.

    Raises:
        HwsimError: widths out of range, or a ``largest`` that is no value of the format.

    >>> FloatFormat.parse("fp8e4m3fn").maximum, FloatFormat.parse("bf16").bits, FloatFormat.parse("fp4e2m1").maximum
    (448.0, 16, 6.0)
    """

    exponent_bits: int
    mantissa_bits: int
    bias: int | None = None
    specials: Specials = Specials.FINITE
    signed: bool = True
    subnormals: bool = True
    largest: float | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.exponent_bits <= 11 and 0 <= self.mantissa_bits <= 23 and self.bits <= MAX_BITS):
            raise HwsimError(
                "floating-point format: 1 to 11 exponent bits and 0 to 23 mantissa bits, 32 with the sign, "
                f"not {self.exponent_bits} and {self.mantissa_bits}"
            )
        if self.bias is None:
            default = (1 << (self.exponent_bits - 1)) - 1 + (self.specials is Specials.FNUZ)
            object.__setattr__(self, "bias", default)
        if not -512 <= self.exponent_bias <= 1022:
            raise HwsimError(f"floating-point format: a bias of -512 to 1022, not {self.bias}")
        if self.top < 0 or (self.specials is Specials.IEEE and self.mantissa_bits == 0):
            raise HwsimError(
                f"floating-point format: {self.exponent_bits} exponent and {self.mantissa_bits} mantissa bits leave no "
                f"room for {self.specials} specials"
            )
        if not self.signed and (self.specials is Specials.FNUZ or self.mantissa_bits or not self.subnormals):
            raise HwsimError(
                "floating-point format: without a sign there are only scales such as e8m0, no mantissa bits"
            )
        if not np.isfinite(np.ldexp(2.0, (self.top >> self.mantissa_bits) - self.exponent_bias)):
            raise HwsimError("floating-point format: its largest number is beyond float64; raise the bias")
        if self.largest is not None and (
            self.largest <= 0 or float(self.decode(self._codes_of(self.largest))) != self.largest
        ):
            raise HwsimError(
                f"floating-point format: largest must be a positive value of the format, not {self.largest}; "
                f"the next one is {float(self.decode(self._codes_of(abs(self.largest))))}"
            )

    def _codes_of(self, value: float) -> np.ndarray:
        bare = FloatFormat(
            exponent_bits=self.exponent_bits,
            mantissa_bits=self.mantissa_bits,
            bias=self.bias,
            specials=self.specials,
            signed=self.signed,
            subnormals=self.subnormals,
        )
        return bare.encode_real(np.array(value))

    @classmethod
    def parse(cls, text: str) -> FloatFormat:
        """Read ``fp8e4m3fn``, ``fp6e2m3``, ``fp8e4m3b11fnuz``, ``fp16``, ``bf16``, ``fp32`` or ``e8m0``; else HwsimError."""
        word = text.strip()
        if word == "e8m0":
            return cls(exponent_bits=8, mantissa_bits=0, bias=127, specials=Specials.FN, signed=False)
        match = _TEXT.fullmatch(_SHORT.get(word, word))
        if not match or int(match[1]) != 1 + int(match[2]) + int(match[3]):
            raise HwsimError(
                f"number format: {text!r} is not one; write for example fp16, bf16, fp8e4m3fn, fp6e2m3 (one sign bit, "
                "e exponent and m mantissa bits add up to the width) or e8m0"
            )
        default = Specials.IEEE if int(match[1]) >= 8 else Specials.FINITE
        return cls(
            exponent_bits=int(match[2]),
            mantissa_bits=int(match[3]),
            bias=int(match[4]) if match[4] else None,
            specials=Specials(match[5]) if match[5] else default,
            subnormals=not match[6],
            largest=float(match[7]) if match[7] else None,
        )

    @property
    def exponent_bias(self) -> int:
        """The bias, decided."""
        assert self.bias is not None
        return self.bias

    @property
    def bits(self) -> int:
        """Sign, exponent and mantissa bits."""
        return self.signed + self.exponent_bits + self.mantissa_bits

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest unsigned numpy integer that holds a code."""
        return integer_dtype(self.bits, signed=False)

    @property
    def finest(self) -> int:
        """Exponent of two of the smallest step between values."""
        return (1 if self.signed else 0) - self.exponent_bias - self.mantissa_bits

    @property
    def top(self) -> int:
        """Code of the largest number that the specials leave, without a sign."""
        every = (1 << (self.exponent_bits + self.mantissa_bits)) - 1
        if self.specials is Specials.IEEE:
            return every - (1 << self.mantissa_bits)
        return every - (self.specials is Specials.FN)

    @property
    def largest_code(self) -> int:
        """Code of the largest number, without a sign."""
        return self.top if self.largest is None else int(self._codes_of(self.largest))

    @property
    def maximum(self) -> float:
        """The largest number.

        >>> [FloatFormat.parse(text).maximum for text in ("fp8e5m2", "fp8e4m3fnuz", "fp6e3m2", "fp16")]
        [57344.0, 240.0, 28.0, 65504.0]
        """
        return float(self.decode(np.array(self.largest_code)))

    @property
    def largest_exponent(self) -> int:
        """The exponent of two of the largest number (``emax`` of OCP MX)."""
        return int(np.frexp(self.maximum)[1]) - 1

    @property
    def unit(self) -> Fraction:
        """The smallest step between values, which divides every value."""
        return Fraction(2) ** self.finest

    @property
    def operand_range(self) -> tuple[int, int]:
        """The smallest and the largest operand, of any size.

        >>> FloatFormat.parse("fp8e4m3fn").operand_range
        (-229376, 229376)
        """
        largest = int(Fraction(self.maximum) / self.unit)
        return (-largest if self.signed else 1), largest

    def encode_real(
        self, real: np.ndarray, *, rounding: Rounding = Rounding.HALF_EVEN, saturate: bool = True
    ) -> np.ndarray:
        """Return the codes of ``real`` (any shape and floating type), rounded once.

        Args:
            real: numbers of up to float64; NaN becomes NaN, or zero of the opposite sign in a format that has none
                (as ml_dtypes does).
            rounding: of numbers between two values; ``half_even`` goes to the even code.
            saturate: numbers beyond the largest, infinities too, become the largest (ONNX Cast with ``saturate=1``). If
                false they become infinity, else NaN, else the largest, as the format has them (ml_dtypes' casts).
        """
        return float_codes.encode(self, np.asarray(real), rounding, saturate)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the values of ``codes`` as float64, which holds them all exactly."""
        return float_codes.decode(self, np.asarray(codes))

    def operands(self, codes: np.ndarray) -> np.ndarray:
        """Return ``value / unit`` as int64.

        Raises:
            HwsimError: infinity or NaN, or a format whose values span more than 63 bits (bf16, fp32, e8m0).
        """
        if self.operand_range[1].bit_length() > OPERAND_BITS:
            raise HwsimError(
                f"number format: operands have at most {OPERAND_BITS} bits and a sign, but {self} spans "
                f"{self.operand_range[1].bit_length()}; multiply it in floating point"
            )
        values = self.decode(codes)
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise HwsimError(f"number format: {count} codes of {self} are infinity or NaN, which no integer stands for")
        return np.ldexp(values, -self.finest).astype(np.int64)

    def __str__(self) -> str:
        if not self.signed:
            return f"e{self.exponent_bits}m{self.mantissa_bits}"
        plain = f"fp{self.bits}e{self.exponent_bits}m{self.mantissa_bits}"
        usual = Specials.IEEE if self.bits >= 8 else Specials.FINITE
        specials = "" if self.specials is usual else self.specials.value
        default = (1 << (self.exponent_bits - 1)) - 1 + (self.specials is Specials.FNUZ)
        bias = "" if self.bias == default else f"b{self.bias}"
        text = f"{plain}{bias}{specials}{'' if self.subnormals else ':flush'}"
        if self.largest is not None:
            text += f":max{self.largest!r}"
        return next((short for short, full in _SHORT.items() if full == text), text)
