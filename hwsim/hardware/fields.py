"""Types of single keys in machine files: how they are read, checked, written and described to an editor.

A message of a validator here is a predicate: the loader writes the key's path in front of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic.functional_validators import AfterValidator, BeforeValidator

from hwsim.errors import HwsimError, did_you_mean
from hwsim.hardware.known import energy_tables, is_path, requantizer_schemes
from hwsim.hardware.mac import MacMode
from hwsim.hardware.modes import mode_of
from hwsim.numerics import vector
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.formats import MAX_BITS, IntFormat
from hwsim.numerics.segments import SegmentScaling
from hwsim.numerics.sparsity import Sparsity

Operand = Literal["ifmap", "weight", "ofmap", "psum"]
Text = Annotated[str, Field(min_length=1)]
LARGEST = 2**40


def _can_be_built(value: float) -> float:
    """Return a size, count or clock below what any machine has."""
    if value > LARGEST:
        raise ValueError(f"is {value}, beyond 2^40; state what can be built")
    return value


Positive = Annotated[int, Field(gt=0, strict=True), AfterValidator(_can_be_built)]
NotNegative = Annotated[int, Field(ge=0, strict=True), AfterValidator(_can_be_built)]
Width = Annotated[int, Field(ge=1, le=32, strict=True)]
PositiveReal = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False), AfterValidator(_can_be_built)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]

REGISTER_PATTERN = r"^(exact|int([2-9]|[1-5][0-9]|6[0-4])(:(exact|wrap|saturate))?)$"
FORMAT_PATTERN = r"^(u?int([1-9]|[12][0-9]|3[0-2])|int([2-9]|[12][0-9]|3[0-2])n)$"
MAC_PATTERN = r"^[a-z][a-z0-9_]*(:[a-z0-9]+)*$"
SCALING_PATTERN = r"^(fixed_point(:[0-9]+){0,2}|fixed_point(:[0-9]+){2}:[a-z_]+|shift(:[0-9]+(:[a-z_]+)?)?|float32)$"
SPARSITY_PATTERN = r"^(dense|[0-9]{1,2}:[0-9]{1,2})$"
DENSE = "dense"
MAX_OPERAND_BITS = 32


class Record(BaseModel):
    """Base of every table of a machine file: frozen, hashable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


def read_register(value: Any) -> Accumulator:
    """Return the register that ``value`` (a record or its text) means; raise ValueError with a predicate."""
    if isinstance(value, Accumulator):
        return value
    match = re.fullmatch(r"(exact|int([1-9][0-9]*))(?::(\w+))?", value) if isinstance(value, str) else None
    if not match or (match[1] == "exact" and match[3]):
        raise ValueError(f"must be 'exact' or a signed register such as int16:saturate, not {value!r}")
    if match[2] and not 2 <= int(match[2]) <= MAX_BITS:
        raise ValueError(f"must be 2 to {MAX_BITS} bits wide, not {match[1]!r}")
    modes = [mode.value for mode in Overflow]
    if match[3] and match[3] not in modes:
        raise ValueError(f"is {value!r}: overflow {match[3]!r} is unknown{did_you_mean(match[3], modes)}")
    return Accumulator.parse(match[0])


def read_format(value: Any) -> IntFormat:
    """Return the operand format that ``value`` (a record or its text) means; raise ValueError with a predicate."""
    if isinstance(value, str) and re.fullmatch(FORMAT_PATTERN, value):
        return IntFormat.parse(value)
    if isinstance(value, IntFormat) and value.bits <= MAX_OPERAND_BITS:
        return value
    raise ValueError(f"must be an integer format of 1 to 32 bits such as int8, uint4 or int8n, not {str(value)!r}")


def read_mac(value: Any) -> MacMode:
    """Return the mode that ``value`` (a record or its text) means; raise ValueError with a predicate."""
    if isinstance(value, MacMode):
        return value
    if not isinstance(value, str) or not re.fullmatch(MAC_PATTERN, value):
        raise ValueError(f"must be a mode such as fixed, fusion:8 or serial:weight:16, not {value!r}")
    return mode_of(value)


def read_sparsity(value: Any) -> Sparsity | None:
    """Return the pattern that ``value`` (a record or its text) means, None for ``dense``; raise ValueError with a predicate."""
    if value is None or isinstance(value, Sparsity):
        return value
    if value == DENSE:
        return None
    try:
        return Sparsity.parse(value) if isinstance(value, str) else Sparsity.parse(repr(value))
    except HwsimError as error:
        raise ValueError(f"must be 'dense' or a pattern N:M as 2:4, not {value!r}: {error}") from None


def read_scaling(value: Any) -> SegmentScaling:
    """Return the scaler that ``value`` (a record or its text) means; raise ValueError with a predicate."""
    if isinstance(value, SegmentScaling):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a scaler such as fixed_point:16:8, shift or float32, not {value!r}")
    try:
        return SegmentScaling.parse(value)
    except HwsimError as error:
        raise ValueError(f"is refused: {str(error).removeprefix('segment_scaling: ')}") from None


def _check_sparsity(text: str) -> str:
    read_sparsity(text)
    return text


def _check_arithmetic(name: str) -> str:
    if name not in vector.names():
        raise ValueError(f"{name!r} is unknown{did_you_mean(name, vector.names())}")
    return name


def _check_scheme(name: str) -> str:
    if name not in requantizer_schemes():
        raise ValueError(f"{name!r} is unknown{did_you_mean(name, requantizer_schemes())}")
    return name


def _check_table(name: str) -> str:
    if is_path(name):
        if not Path(name).is_file():
            raise ValueError(f"{name!r} is not a file")
    elif name not in energy_tables():
        raise ValueError(f"{name!r} is unknown{did_you_mean(name, energy_tables())}")
    return name


def _read_matched(value: Any) -> Any:
    return None if value == "matched" else value


RegisterField = Annotated[
    Accumulator,
    PlainValidator(read_register),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": REGISTER_PATTERN}),
]
MacField = Annotated[
    MacMode,
    PlainValidator(read_mac),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": MAC_PATTERN}),
]
SegmentScalingField = Annotated[
    SegmentScaling,
    PlainValidator(read_scaling),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": SCALING_PATTERN}),
]
SparsityField = Annotated[
    Sparsity | None,
    PlainValidator(read_sparsity),
    PlainSerializer(lambda pattern: DENSE if pattern is None else str(pattern), return_type=str),
    WithJsonSchema({"type": "string", "pattern": SPARSITY_PATTERN}),
]
SparsityText = Annotated[
    str, AfterValidator(_check_sparsity), WithJsonSchema({"type": "string", "pattern": SPARSITY_PATTERN})
]
SchemeField = Annotated[str, AfterValidator(_check_scheme)]
ArithmeticField = Annotated[str, AfterValidator(_check_arithmetic)]
EnergyTableField = Annotated[str, AfterValidator(_check_table)]
MatchedWidth = Annotated[
    Width | None,
    BeforeValidator(_read_matched),
    PlainSerializer(lambda width: "matched" if width is None else width),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 32}, {"const": "matched"}]}),
]
