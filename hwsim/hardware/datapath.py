"""The datapath of a machine: widths and rules between the operands and the output code, globally and per layer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.functional_validators import BeforeValidator
from pydantic_core import CoreSchema

from hwsim.hardware.fields import ArithmeticField, MatchedWidth, Record, RegisterField, SchemeField, Text
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.rounding import Rounding

REQUANTIZER_PATTERN = r"^[a-z][a-z0-9_]*(:[0-9]+)?(:[a-z_]+)?$"


class RequantizerPart(Record):
    """The requantization unit: accumulator to output code."""

    scheme: SchemeField = Field(
        default="fixed_point",
        description="Arithmetic of the unit: float32, fixed_point, power_of_two or another file of hwsim.numerics.requantizers.",
    )
    multiplier_bits: Annotated[int, Field(ge=2, le=32, strict=True)] = Field(
        default=32, description="Width of the signed integer multiplier in bits, 2 to 32; only fixed_point has one."
    )
    rounding: Rounding = Field(
        default=Rounding.HALF_UP,
        description="Rounding of the shift; half_up adds half and shifts (ties towards +infinity). float32 always rounds half to even.",
    )

    @property
    def unit(self) -> Requantizer:
        """The numerics record."""
        return Requantizer(scheme=self.scheme, multiplier_bits=self.multiplier_bits, rounding=self.rounding)

    def __str__(self) -> str:
        return str(self.unit)


def read_requantizer(value: Any) -> Any:
    """Turn the text form ``scheme[:multiplier_bits][:rounding]`` into a table; leave anything else as it is.

    >>> read_requantizer("fixed_point:16:half_up")
    {'scheme': 'fixed_point', 'multiplier_bits': 16, 'rounding': 'half_up'}
    """
    if isinstance(value, RequantizerPart | Mapping):
        return value
    if not isinstance(value, str) or not re.fullmatch(REQUANTIZER_PATTERN, value):
        raise ValueError(f"must be a table or a text such as fixed_point:16:half_up, not {value!r}")
    scheme, *rest = value.split(":")
    table: dict[str, Any] = {"scheme": scheme}
    for word in rest:
        table |= {"multiplier_bits": int(word)} if word.isdigit() else {"rounding": word}
    if "multiplier_bits" in table and scheme != "fixed_point":
        raise ValueError(f"is {value!r}, but only fixed_point has a multiplier width")
    return table


class _TextOrTable:
    """Tells editors that a requantizer may be a table or its text form."""

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": REQUANTIZER_PATTERN}]}


RequantizerField = Annotated[RequantizerPart, BeforeValidator(read_requantizer), _TextOrTable]


class Datapath(Record):
    """Widths and rules between the operands and the output code."""

    multiplier_weight_bits: MatchedWidth = Field(
        default=None,
        description="Weight width of the multiplier in bits; a wider weight is an error. 'matched': built as wide as each layer's weights.",
        json_schema_extra={"default": "matched"},
    )
    multiplier_activation_bits: MatchedWidth = Field(
        default=None,
        description="Activation width of the multiplier in bits; a wider one is an error. 'matched': built as wide as each layer's activations.",
        json_schema_extra={"default": "matched"},
    )
    psum: RegisterField = Field(
        default=Accumulator(),
        description="Partial-sum register inside the array: 'exact' (as wide as the layer needs), or a width with its overflow, int20:wrap, int16:saturate, int32:exact.",
        json_schema_extra={"default": "exact"},
    )
    accumulator: RegisterField = Field(
        default=Accumulator.parse("int32:wrap"),
        description="Accumulator behind the array, which adds the partial sums of the folds; written as psum.",
        json_schema_extra={"default": "int32:wrap"},
    )
    multiplier: Text = Field(
        default="exact",
        description="What multiplies: exact, a table path.npy, a built-in as truncated:4 or mitchell, or package.module:function of two integers.",
    )
    zero_point: Literal["folded", "subtracted"] = Field(
        default="folded",
        description="folded: raw codes enter the array and constant terms join the bias (asymmetric weights pay a column sum). subtracted: centred codes enter, one bit wider where the grid is asymmetric.",
    )
    bias: Literal["start", "end"] = Field(
        default="end", description="start: preloaded into the accumulator. end: added after the last fold."
    )
    requantizer: RequantizerField = Field(
        default=RequantizerPart(),
        description="Accumulator to output code: a table, or a text such as float32 or fixed_point:16:half_up.",
        json_schema_extra={"default": "fixed_point:32:half_up"},
    )
    arithmetic: ArithmeticField = Field(
        default="native",
        description="How the vector unit computes in integers: native (exact sums, then the requantizer), onnxruntime, tflite or ibert.",
    )


RULE_KEYS = ("psum", "accumulator", "requantizer", "arithmetic")


class DatapathRule(Record):
    """An exception for the layers whose name matches: the stated keys replace those of the datapath."""

    match: Text = Field(description="Layer name or shell pattern: * any text, ? one character, [ab] one of a and b.")
    psum: RegisterField | None = Field(
        default=None, description="Partial-sum register inside the array for these layers."
    )
    accumulator: RegisterField | None = Field(
        default=None, description="Accumulator behind the array for these layers."
    )
    requantizer: RequantizerField | None = Field(default=None, description="Requantization unit for these layers.")
    arithmetic: ArithmeticField | None = Field(
        default=None, description="Arithmetic of the vector unit for these layers."
    )

    @model_validator(mode="after")
    def _states_something(self) -> DatapathRule:
        if not self.changes:
            raise ValueError(f"must state at least one of {', '.join(RULE_KEYS)}")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """The stated keys."""
        return {key: getattr(self, key) for key in RULE_KEYS if getattr(self, key) is not None}
