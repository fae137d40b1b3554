"""One text form for every kind of format."""

from __future__ import annotations

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.formats import grids
from hwsim.numerics.formats.fixed import FixedFormat
from hwsim.numerics.formats.floating import FloatFormat
from hwsim.numerics.formats.integer import IntFormat
from hwsim.numerics.formats.learned import LearnedTable
from hwsim.numerics.formats.protocol import Format

NAMED_FLOATS = (
    "fp32",
    "fp16",
    "bf16",
    "fp8e4m3fn",
    "fp8e5m2",
    "fp8e4m3fnuz",
    "fp8e5m2fnuz",
    "fp6e2m3",
    "fp6e3m2",
    "fp4e2m1",
    "e8m0",
)
EXAMPLES = (
    "int8",
    "uint4",
    "int8n",
    "bipolar",
    "ternary",
    "pot4",
    "power4:0.5",
    "power4:0.7@8",
    "fixed<14,8>",
    *NAMED_FLOATS,
)


def parse_format(text: str) -> Format:
    """Return the format that ``text`` names; ``str`` of a format gives the text back.

    Args:
        text: ``int8``, ``uint4``, ``int8n``; ``fp8e4m3fn`` and any other ``fp<bits>e<e>m<m>``, ``fp16``, ``bf16``, ``fp32``,
            ``e8m0``; ``fixed<14,8>``; ``bipolar``, ``ternary``, ``pot4``, ``power4:0.5``, ``power4:0.7@8``
            (decoded by a table of 8 bits), either with ``:nearest``.

    Raises:
        HwsimError: a text that names none.

    >>> [str(parse_format(text)) for text in ("int4", "fp8e5m2", "fixed<8, 3>", "ternary", "power4:0.5")]
    ['int4', 'fp8e5m2', 'fixed<8,3>', 'ternary', 'power4:0.5']
    """
    word = text.strip()
    table = grids.named(word)
    if table is not None:
        return table
    if LearnedTable.named(word) is not None:
        raise HwsimError(
            f"number format: {text!r} is learned on the numbers of each layer, so it has no values before; "
            "state it as weights in a precision plan"
        )
    kinds: tuple[tuple[tuple[str, ...], type[IntFormat | FixedFormat | FloatFormat]], ...] = (
        (("int", "uint"), IntFormat),
        (("fixed", "ufixed"), FixedFormat),
        (("fp", "bf", "e8"), FloatFormat),
    )
    for starts, kind in kinds:
        if word.startswith(starts):
            return kind.parse(word)
    raise HwsimError(
        f"number format: {text!r} is not one{did_you_mean(word, EXAMPLES)}; write for example {', '.join(EXAMPLES)}"
    )
