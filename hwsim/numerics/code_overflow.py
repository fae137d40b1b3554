"""What a unit does with a result that its output register does not hold.

``wrap_sign_magnitude`` and saturated bits are those of ap_fixed (AMD UG1399, "Overflow modes"; ``ap_fixed_base.h:
overflow_adjust``); all others are common.
"""

from __future__ import annotations

from enum import StrEnum

from hwsim.numerics.formats import bits_for_range


class CodeOverflow(StrEnum):
    """How a result beyond the smallest or the largest code becomes a code."""

    SATURATE = "saturate"
    WRAP = "wrap"
    SATURATE_ZERO = "saturate_zero"
    SATURATE_SYMMETRIC = "saturate_symmetric"
    WRAP_SIGN_MAGNITUDE = "wrap_sign_magnitude"


WRAPS = frozenset({CodeOverflow.WRAP, CodeOverflow.WRAP_SIGN_MAGNITUDE})


def register(low: int, high: int) -> tuple[int, int]:
    """Return the ends of the narrowest register, signed where ``low`` is negative, that holds ``low..high``.

    >>> register(-127, 127), register(0, 15), register(0, 100)
    ((-128, 127), (0, 15), (0, 127))
    """
    width = bits_for_range(low, high)
    if low < 0:
        return -(1 << (width - 1)), (1 << (width - 1)) - 1
    return 0, (1 << max(width - 1, 1)) - 1


def reduce_code(
    value: int,
    low: int,
    high: int,
    overflow: CodeOverflow,
    saturated_bits: int = 0,
    truncated: int | None = None,
) -> int:
    """Return the code that stands in the register for ``value``, a result of any size.

    * ``saturate``: the nearer end. ``saturate_zero``: 0. ``saturate_symmetric``: the nearer end of ``-high..high``; a result
      of ``low`` where that is ``-high - 1`` counts as beyond it.
    * ``wrap``: the lower bits of the narrowest register that holds ``low..high``. With ``saturated_bits`` N above 0, a signed
      register keeps the sign, the N - 1 bits below it saturate (ones for a positive result, zeros for a negative one) and
      the rest wraps; in an unsigned one the N highest bits are set.
    * ``wrap_sign_magnitude``: of an unsigned register, ``saturate``. Of a signed one, the lower bits, inverted where their sign
      differs from the lowest bit that was dropped (N = 0) or from the sign of the result (N = 1); from N = 2 also the N - 1
      bits below the sign saturate, and the rest is inverted where its highest bit equals the sign. The dropped bit is
      that of ``truncated``, the result rounded down, where it is given: ap_fixed reads it before it rounds.

    >>> [reduce_code(v, -8, 7, mode) for mode in CodeOverflow for v in (9, -9)]
    [7, -8, -7, 7, 0, 0, 7, -7, 6, -8]
    """
    if overflow is CodeOverflow.SATURATE or (overflow is CodeOverflow.WRAP_SIGN_MAGNITUDE and low >= 0):
        return min(max(value, low), high)
    if overflow is CodeOverflow.SATURATE_SYMMETRIC:
        return min(max(value, max(low, -high)), high)
    if low <= value <= high:
        return value
    if overflow is CodeOverflow.SATURATE_ZERO:
        return min(max(0, low), high)
    start, end = register(low, high)
    width = (end - start).bit_length()
    saturated_bits = min(saturated_bits, width)
    if overflow is CodeOverflow.WRAP:
        bits = _wrapped(value, width, saturated_bits, signed=start < 0)
    else:
        before = value if truncated is None else truncated
        bits = _sign_magnitude(value, width, saturated_bits, dropped=bool(before >> width & 1))
    code = (bits - start & (end - start)) + start
    return min(max(code, low), high)


def _field(width: int, count: int) -> int:
    """Return a mask of the ``count`` bits below the sign of a register."""
    return ((1 << count) - 1) << (width - 1 - count)


def _wrapped(value: int, width: int, saturated_bits: int, *, signed: bool) -> int:
    """Return the bits of ``wrap``; those above the register do not count."""
    if saturated_bits == 0:
        return value
    if not signed:
        return value | (((1 << saturated_bits) - 1) << (width - saturated_bits))
    top, ones = 1 << (width - 1), _field(width, saturated_bits - 1)
    return value & ~ones | top if value < 0 else (value | ones) & ~top


def _sign_magnitude(value: int, width: int, saturated_bits: int, *, dropped: bool) -> int:
    """Return the bits of ``wrap_sign_magnitude`` in a signed register."""
    top, negative = 1 << (width - 1), value < 0
    sign = bool(value & top)
    if saturated_bits == 0:
        return value if dropped == sign else (~value & ~top) | (top if dropped else 0)
    bits = value
    if saturated_bits == 1:
        bits = ~bits if sign != negative else bits
    else:
        if bool(value >> (width - saturated_bits) & 1) == negative:
            bits = ~bits
        ones = _field(width, saturated_bits - 1)
        bits = bits & ~ones if negative else bits | ones
    return bits | top if negative else bits & ~top
