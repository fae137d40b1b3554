"""How wide the integers are that a format sends to the multiplier."""

from __future__ import annotations

from hwsim.numerics.formats.integer import IntFormat, bits_for_range
from hwsim.numerics.formats.protocol import Format


def operand_format(number: Format) -> IntFormat:
    """Return the integers that hold every operand of ``number``: integers themselves, else the narrowest that do.

    Raises:
        HwsimError: operands beyond 64 bits (bf16, fp32, e8m0).

    >>> from hwsim.numerics.formats.parse import parse_format
    >>> [str(operand_format(parse_format(text))) for text in ("int8n", "fp4e2m1", "fp8e4m3fn", "ternary")]
    ['int8n', 'int5', 'int19', 'int2']
    """
    if isinstance(number, IntFormat):
        return number
    low, high = number.operand_range
    signed = low < 0
    return IntFormat(bits=max(bits_for_range(low, high) - (not signed), 1), signed=signed)
