"""The datapath of a machine: widths and rules between the operands and the output code, globally and per layer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from hwsim.hardware.fields import ArithmeticField, MatchedWidth, Record, RegisterField, Text
from hwsim.hardware.requantizer import RequantizerField, RequantizerPart
from hwsim.numerics.accumulator import Accumulator


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
