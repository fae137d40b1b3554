"""Precision plans: bits, registers and requantizers stated per layer, by name or pattern."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import Field, model_validator

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.activation_fields import ActivationField
from hwsim.hardware.datapath import DatapathRule
from hwsim.hardware.fields import (
    DENSE,
    ArithmeticField,
    Record,
    RegisterField,
    SegmentScalingField,
    SparsityText,
    Text,
    read_sparsity,
)
from hwsim.hardware.requantizer import RequantizerField, RequantizerPart
from hwsim.hardware.weight_fields import GranularityField, WeightFormatField, group_size
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import FloatFormat, Format, IntFormat, LearnedTable
from hwsim.numerics.segments import SegmentScaling
from hwsim.numerics.sparsity import Sparsity

Symmetry = Literal["symmetric", "asymmetric"]
Range = Literal[
    "minmax", "percentile", "mse", "moving_average", "cross_entropy", "channel_majority", "batch_norm"
]  # each a file of hwsim/quantization/ranges

GRID_KEYS = (
    "weights", "activations", "weight_granularity", "weight_symmetry", "activation_symmetry", "range", "activation_range",
)  # fmt: skip
WEIGHT_KEYS = ("sparsity",)
DATAPATH_KEYS = ("psum", "accumulator", "segment_scaling", "requantizer", "arithmetic")
KEYS = GRID_KEYS + WEIGHT_KEYS + DATAPATH_KEYS
INT8 = IntFormat(bits=8)
UINT8 = IntFormat(bits=8, signed=False)


class Statement(Record):
    """What a plan may say about layers; a key that is left out is not stated."""

    weights: WeightFormatField | None = Field(
        default=None,
        description="Weight format: int1..int32, uint1..uint32, int8n (narrow), ternary, bipolar, pot4 (powers of two), power4:0.5 (exponent; power4: found per layer), codebook4 (learned per layer), fp4e2m1 and other floats.",
    )
    activations: ActivationField | None = Field(
        default=None,
        description="Activation format: int1..int32, uint1..uint32; int8n is narrow; fp16, bf16, fp32, fp8e4m3fn, fp8e5m2: real values without a scale, for machines with a floating mac.",
    )
    weight_granularity: GranularityField | None = Field(
        default=None,
        description="One scale per weight tensor, per output channel, or group:N: per N input channels of each output channel.",
    )
    weight_symmetry: Symmetry | None = Field(default=None, description="symmetric: the zero point of the weights is 0.")
    activation_symmetry: Symmetry | None = Field(
        default=None, description="symmetric: the zero point of activations is 0."
    )
    range: Range | None = Field(default=None, description="How the range of activations and weights is estimated.")
    activation_range: Range | None = Field(
        default=None, description="How the range of activations is estimated, where not as range says."
    )
    sparsity: SparsityText | None = Field(
        default=None,
        description="Pattern N:M to which weights are pruned by magnitude before they are quantized, as 2:4, or dense; of a network that came quantized: which its weights already obey.",
    )
    psum: RegisterField | None = Field(
        default=None, description="Partial-sum register inside the array, as int20:wrap."
    )
    accumulator: RegisterField | None = Field(default=None, description="Accumulator behind the array, as int32:wrap.")
    segment_scaling: SegmentScalingField | None = Field(
        default=None,
        description="Rescaling of partial sums where scales change along k: fixed_point:16:8, shift:8 or float32.",
    )
    requantizer: RequantizerField | None = Field(
        default=None, description="Requantization unit: a table, or a text such as float32 or fixed_point:16:half_up."
    )
    arithmetic: ArithmeticField | None = Field(
        default=None, description="Integer arithmetic of the vector unit: native, onnxruntime, tflite or ibert."
    )

    def stated(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those of ``keys`` that are stated, with their values."""
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}


class PrecisionRule(Statement):
    """A statement about the layers whose name matches."""

    match: Text = Field(description="Layer name or shell pattern: * any text, ? one character, [ab] one of a and b.")

    @model_validator(mode="after")
    def _states_something(self) -> PrecisionRule:
        if not self.stated(KEYS):
            raise ValueError(f"must state at least one of {', '.join(KEYS)}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPrecision:
    """The precision of one layer, every grid key decided; datapath keys are None where the machine decides.

    The values here are what holds where a plan states nothing.
    """

    weights: Format | LearnedTable = INT8
    activations: IntFormat | FloatFormat = UINT8
    weight_granularity: str = "channel"
    weight_symmetry: Symmetry = "symmetric"
    activation_symmetry: Symmetry = "asymmetric"
    range: Range = "minmax"
    activation_range: Range = "minmax"
    sparsity: str = DENSE
    psum: Accumulator | None = None
    accumulator: Accumulator | None = None
    segment_scaling: SegmentScaling | None = None
    requantizer: RequantizerPart | None = None
    arithmetic: str | None = None

    @property
    def group_size(self) -> int | None:
        """Input channels that share a weight scale; None where all of them do."""
        return group_size(self.weight_granularity)

    @property
    def pattern(self) -> Sparsity | None:
        """The sparsity as a record; None where dense."""
        return read_sparsity(self.sparsity)


class PrecisionPlan(Record):
    """Bits, registers and requantizers per layer.

    >>> rule = PrecisionRule(match="block1.*", weights="int4")
    >>> plan = PrecisionPlan(default={"weights": "int8n"}, layer=(rule,))
    >>> str(plan.for_layer("block1.conv").weights), str(plan.for_layer("fc").weights)
    ('int4', 'int8n')
    """

    default: Statement = Field(default=Statement(), description="What holds for every layer.")
    layer: tuple[PrecisionRule, ...] = Field(
        default=(), description="Exceptions by layer name, each a [[layer]] table; later ones win."
    )

    def for_layer(self, name: str) -> LayerPrecision:
        """Return the precision of one layer: the default, then each matching rule in order, key by key."""
        stated = self.default.stated(KEYS)
        for rule in self.layer:
            if fnmatchcase(name, rule.match):
                stated |= rule.stated(KEYS)
        if "range" in stated:
            stated.setdefault("activation_range", stated["range"])
        return LayerPrecision(**stated)

    def unmatched(self, layer_names: Iterable[str]) -> tuple[str, ...]:
        """Return the patterns that match none of ``layer_names``, in the order of the file."""
        names = tuple(layer_names)
        return tuple(rule.match for rule in self.layer if not any(fnmatchcase(name, rule.match) for name in names))

    @property
    def states_grids(self) -> bool:
        """Whether the plan says anything about operand grids: one that does not leaves a quantized network alone."""
        return any(statement.stated(GRID_KEYS) for statement in (self.default, *self.layer))


def with_precision(accelerator: Accelerator, plan: PrecisionPlan) -> Accelerator:
    """Return the machine with the plan's psum, accumulator and requantizer statements.

    The plan's default replaces keys of the machine's datapath; its rules are appended to the machine's own ``layer``
    rules, so that they win over them. A machine's own rule wins over the plan's default, being more specific.
    """
    stated = plan.default.stated(DATAPATH_KEYS)
    found = [(rule.match, rule.stated(DATAPATH_KEYS)) for rule in plan.layer]
    rules = tuple(DatapathRule(match=match, **keys) for match, keys in found if keys)
    if not stated and not rules:
        return accelerator
    datapath = accelerator.datapath.model_copy(update=stated)
    return accelerator.model_copy(update={"datapath": datapath, "layer": accelerator.layer + rules})
