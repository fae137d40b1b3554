"""The key ``activations`` of precision plans: integers, or floating-point numbers, which are real values as they stand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from hwsim.errors import did_you_mean
from hwsim.hardware.fields import FORMAT_PATTERN, read_format
from hwsim.numerics.formats import FloatFormat, IntFormat

FLOATS = ("fp16", "bf16", "fp32", "fp8e4m3fn", "fp8e5m2")
ACTIVATION_PATTERN = f"^({FORMAT_PATTERN[2:-2]}|{'|'.join(FLOATS)})$"


def read_activations(value: Any) -> IntFormat | FloatFormat:
    """Return the format that ``value`` (a record or its text) means; raise ValueError with a predicate.

    >>> [str(read_activations(text)) for text in ("uint8", "fp16")]
    ['uint8', 'fp16']
    """
    if str(value) in FLOATS:
        return FloatFormat.parse(str(value))
    try:
        return read_format(value)
    except ValueError as error:
        is_float = isinstance(value, str) and value.startswith(("f", "b"))
        hint = did_you_mean(str(value), FLOATS) if is_float else ""
        raise ValueError(str(error).replace(", not ", f", or one of {', '.join(FLOATS)}, not ", 1) + hint) from None


ActivationField = Annotated[
    IntFormat | FloatFormat,
    PlainValidator(read_activations),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": ACTIVATION_PATTERN}),
]
