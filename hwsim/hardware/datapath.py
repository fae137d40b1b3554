"""The datapath of a machine: widths and rules between the operands and the output code, globally and per layer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from hwsim.hardware.fields import (
    ArithmeticField,
    MacField,
    MatchedWidth,
    Record,
    RegisterField,
    SegmentScalingField,
    Share,
    SparsityField,
    Text,
)
from hwsim.hardware.modes.fixed import Mode as Fixed
from hwsim.hardware.requantizer import RequantizerField, RequantizerPart
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.segments import SegmentScaling


class Datapath(Record):
    """Widths and rules between the operands and the output code."""

    mac: MacField = Field(
        default=Fixed(),
        description="How a processing element multiplies: fixed (a built multiplier; fixed:4 sums four products), fusion:8, serial:weight:16, packed:8:k, shared:27x18, floating:fp16:fp32.",
        json_schema_extra={"default": "fixed"},
    )
    sparsity: SparsityField = Field(
        default=None,
        description="Structured weight sparsity N:M that the array uses, as 2:4: layers pruned to it compute and store N of every M weights. dense: every weight is multiplied.",
        json_schema_extra={"default": "dense"},
    )
    zero_gating: Literal["none", "activation", "weight", "both"] = Field(
        default="none",
        description="Which operand, where it is zero, keeps a multiply-accumulate from toggling (time is unchanged).",
    )
    zero_share: Share = Field(
        default=0.0,
        description="Share of products that zero_gating stops, assumed where nothing is executed; execution counts its own.",
    )
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
    segment_scaling: SegmentScalingField = Field(
        default=SegmentScaling(),
        description="How a fold's partial sum is rescaled on its way to the accumulator where scales change along k: fixed_point:16:8 (multiplier bits, fraction bits of the accumulator), shift:8 (powers of two only), float32 (a float32 accumulator).",
        json_schema_extra={"default": "fixed_point:16:8:half_up"},
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

    @model_validator(mode="after")
    def _agrees_with_the_mode(self) -> Datapath:
        widths = ("multiplier_weight_bits", "multiplier_activation_bits")
        stated = [key for key in widths if getattr(self, key) is not None]
        if stated and not self.mac.built_to_measure:
            raise ValueError(f"must leave {' and '.join(stated)} 'matched': mac = {self.mac} states its own widths")
        if self.multiplier != "exact" and str(self.mac) != "fixed":
            raise ValueError(
                f"must have an 'exact' multiplier with mac = {self.mac}: an approximate one is a fixed one"
            )
        if self.multiplier != "exact" and self.sparsity is not None:
            raise ValueError(f"must have an 'exact' multiplier with sparsity = {self.sparsity}: skipped products are 0")
        if self.zero_share and self.zero_gating == "none":
            raise ValueError(f"must leave zero_share 0, not {self.zero_share}, where zero_gating is none")
        return self


RULE_KEYS = ("psum", "accumulator", "segment_scaling", "requantizer", "arithmetic")


class DatapathRule(Record):
    """An exception for the layers whose name matches: the stated keys replace those of the datapath."""

    match: Text = Field(description="Layer name or shell pattern: * any text, ? one character, [ab] one of a and b.")
    psum: RegisterField | None = Field(
        default=None, description="Partial-sum register inside the array for these layers."
    )
    accumulator: RegisterField | None = Field(
        default=None, description="Accumulator behind the array for these layers."
    )
    segment_scaling: SegmentScalingField | None = Field(
        default=None, description="Rescaling of partial sums where scales change along k, for these layers."
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
