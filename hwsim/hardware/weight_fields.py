"""Types of the keys that say on which grids weights stand: any format that weights can have, and which weights share a scale."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from hwsim.errors import HwsimError, did_you_mean
from hwsim.hardware.fields import FORMAT_PATTERN, read_format
from hwsim.numerics.formats import Codebook, FloatFormat, Format, IntFormat, LearnedTable, parse_format

FLOATS = ("fp16", "bf16", "fp8e4m3fn", "fp8e5m2", "fp8e4m3fnuz", "fp8e5m2fnuz", "fp6e2m3", "fp6e3m2", "fp4e2m1")
EXAMPLES = ("int8", "uint4", "int8n", "pot4", "power4:0.5", "power4:0.7@8", "power4", "codebook4", "ternary", "bipolar")
_TABLES = (
    r"ternary|bipolar|pot[2-9]|power([2-9]|1[0-6]):[0-9]+(\.[0-9]+)?(@[1-9][0-9]?)?(:nearest)?"
    r"|power[2-8](@[1-9][0-9]?)?(:nearest)?|codebook[2-8](@[1-9][0-9]?)?"
)
WEIGHT_PATTERN = f"^({FORMAT_PATTERN[2:-2]}|{_TABLES}|{'|'.join(FLOATS)})$"
GRANULARITY_PATTERN = r"^(tensor|channel|group:[1-9][0-9]{0,5})$"
GROUP = "group:"


def read_weight_format(value: Any) -> Format | LearnedTable:
    """Return the grid that ``value`` (a record or its text) means; raise ValueError with a predicate.

    Texts are those of ``parse_format``, and of tables that are learned per layer: ``power4``, ``codebook4``.
    """
    if isinstance(value, IntFormat) or (isinstance(value, str) and re.fullmatch(FORMAT_PATTERN, value)):
        return read_format(value)
    if isinstance(value, Codebook | FloatFormat | LearnedTable):
        return value
    if isinstance(value, str) and re.fullmatch(WEIGHT_PATTERN, value):
        try:
            return LearnedTable.named(value) or parse_format(value)
        except HwsimError as error:
            raise ValueError(f"is no format of weights: {error}") from None
    is_name = isinstance(value, str) and not re.match(r"u?int[0-9]", value)
    hint = did_you_mean(value, (*EXAMPLES, *FLOATS)) if is_name else ""
    raise ValueError(
        f"must be an integer format of 1 to 32 bits such as int8, uint4 or int8n, or one of {', '.join(EXAMPLES[3:])}, "
        f"{FLOATS[-1]} and their widths, not {str(value)!r}{hint}"
    )


def group_size(granularity: str) -> int | None:
    """Return the N of ``group:N``; None of ``tensor`` and ``channel``."""
    return int(granularity.removeprefix(GROUP)) if granularity.startswith(GROUP) else None


def _check_granularity(text: Any) -> str:
    if not isinstance(text, str) or not re.fullmatch(GRANULARITY_PATTERN, text):
        hint = did_you_mean(text, ("tensor", "channel", "group:32")) if isinstance(text, str) else ""
        raise ValueError(
            f"must be 'tensor', 'channel' or a group of input channels such as 'group:32', not {text!r}{hint}"
        )
    return text


WeightFormatField = Annotated[
    Any,
    PlainValidator(read_weight_format),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": WEIGHT_PATTERN}),
]
GranularityField = Annotated[
    str,
    PlainValidator(_check_granularity),
    WithJsonSchema({"type": "string", "pattern": GRANULARITY_PATTERN}),
]
