"""The machine: one frozen record that timing, exact integers and energy all read."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic.functional_validators import BeforeValidator

from hwsim.errors import HwsimError
from hwsim.hardware.dataflow import DATAFLOWS, Dataflow
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.rounding import Rounding

Operand = Literal["ifmap", "weight", "ofmap", "psum"]
Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]


def _parse_accumulator(value: object) -> object:
    if isinstance(value, str):
        try:
            return Accumulator.parse(value)
        except HwsimError as error:
            raise ValueError(str(error)) from None
    return value


AccumulatorField = Annotated[
    Accumulator,
    BeforeValidator(_parse_accumulator),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(exact|int[1-9][0-9]?(:(exact|wrap|saturate))?)$"}),
]


class Record(BaseModel):
    """Base of every part of a machine: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


class RequantizerPart(Record):
    """The requantization unit, see ``hwsim.numerics.requantizer.Requantizer``."""

    scheme: str = "fixed_point"
    multiplier_bits: Annotated[int, Field(ge=2, le=32)] = 32
    rounding: Rounding = Rounding.HALF_UP

    @property
    def unit(self) -> Requantizer:
        """The numerics record."""
        return Requantizer(scheme=self.scheme, multiplier_bits=self.multiplier_bits, rounding=self.rounding)


class Datapath(Record):
    """Widths and rules between the operands and the output code.

    Args:
        multiplier_weight_bits, multiplier_activation_bits: the multiplier's operand widths; operands that are wider are
            an error. None: the multiplier is built as wide as each layer's operands ("matched").
        psum: partial-sum register inside the array.
        accumulator: accumulator behind the array.
        zero_point: ``folded`` (raw codes enter the array, the constant terms join the bias; asymmetric weights pay a
            column sum) or ``subtracted`` (centred codes enter, one bit wider where the grid is asymmetric).
        bias: added at the ``start`` (preloaded into the accumulator) or at the ``end`` (after the last fold, at
            ``output_bits`` width).
        requantizer: accumulator to output code.
    """

    multiplier_weight_bits: Annotated[int, Field(ge=1, le=32)] | None = None
    multiplier_activation_bits: Annotated[int, Field(ge=1, le=32)] | None = None
    psum: AccumulatorField = Accumulator()
    accumulator: AccumulatorField = Accumulator.parse("int32:wrap")
    zero_point: Literal["folded", "subtracted"] = "folded"
    bias: Literal["start", "end"] = "end"
    requantizer: RequantizerPart = RequantizerPart()


class DatapathRule(Record):
    """Per-layer exceptions: for layers whose name matches ``match`` (shell pattern) the stated keys replace the default."""

    match: str
    psum: AccumulatorField | None = None
    accumulator: AccumulatorField | None = None
    requantizer: RequantizerPart | None = None


class SystolicArray(Record):
    """A grid of multiply-accumulate processing elements.

    Args:
        dataflow: a name of ``DATAFLOWS``.
        rows, columns: processing elements.
        vertical_hop_registers: registers per vertical hop, ``h`` of the cycle law.
        pipeline_latency_cycles: fixed latency ``lambda`` of the cycle law.
        drain: how an output-stationary array empties: ``none`` (parallel read-out), ``down`` (rows shifts), ``right``
            (columns shifts).
        overlap_load: the next stationary operand loads under the current fold.
        overlap_drain: the pipeline of one fold empties (and an output-stationary fold drains) under the next.
        k_order: order of a convolution's products in k: ``kernel_channel`` (kernel position outermost, channel
            innermost, as in NHWC memories) or ``channel_kernel`` (ONNX weight order).
    """

    dataflow: Literal["weight_stationary", "output_stationary", "input_stationary"]
    rows: Positive
    columns: Positive
    vertical_hop_registers: Positive = 1
    pipeline_latency_cycles: NotNegative = 0
    drain: Literal["none", "down", "right"] = "down"
    overlap_load: bool = True
    overlap_drain: bool = True
    k_order: Literal["kernel_channel", "channel_kernel"] = "kernel_channel"

    @property
    def flow(self) -> Dataflow:
        """The dataflow record."""
        return DATAFLOWS[self.dataflow]


class VectorUnit(Record):
    """The unit for everything that is not a matrix product.

    Args:
        lanes: elements per cycle and operation.
        bits: operand width of its integer lanes.
        requantizer_lanes: accumulators turned into output codes per cycle at the array's edge.
    """

    lanes: Positive = 16
    bits: Positive = 32
    requantizer_lanes: Positive = 16


class MemoryLevel(Record):
    """An on-chip memory.

    Args:
        holds: operands kept there. Every operand has exactly one on-chip memory.
        size_bytes: capacity.
        read_bits_per_cycle, write_bits_per_cycle: port bandwidth towards the array.
        double_buffered: half of the capacity is filled while the other half is used.
    """

    name: str
    holds: tuple[Operand, ...] = Field(min_length=1)
    size_bytes: Positive
    read_bits_per_cycle: Positive
    write_bits_per_cycle: Positive
    double_buffered: bool = True


class Dram(Record):
    """Off-chip memory: ``kind`` names its energy row; both directions share the bandwidth."""

    kind: str = "lpddr4"
    bits_per_cycle: Positive = 64
    latency_cycles: NotNegative = 100


class Accelerator(Record):
    """A machine. See ``hwsim/hardware/presets`` for commented examples.

    Raises:
        pydantic.ValidationError: all problems at once (``hwsim.hardware.load_accelerator`` turns it into a ConfigError).
    """

    name: str
    description: str = ""
    clock_mhz: Annotated[float, Field(gt=0)]
    energy_table: str = "generic_45nm"
    array: SystolicArray
    datapath: Datapath = Datapath()
    vector: VectorUnit = VectorUnit()
    memory: tuple[MemoryLevel, ...]
    dram: Dram = Dram()
    layer: tuple[DatapathRule, ...] = ()

    @model_validator(mode="after")
    def _every_operand_has_a_home(self) -> Accelerator:
        problems = []
        for operand in ("ifmap", "weight", "ofmap", "psum"):
            homes = [level.name for level in self.memory if operand in level.holds]
            if len(homes) != 1:
                problems.append(
                    f"operand {operand!r} must be held by exactly one on-chip memory, not {len(homes)}"
                    + (f" ({', '.join(homes)})" if homes else "; add it to `holds` of a [[memory]]")
                )
        names = [level.name for level in self.memory]
        problems += [f"memory name {name!r} is used twice" for name in sorted({n for n in names if names.count(n) > 1})]
        problems += ["memory name 'dram' is reserved for the off-chip memory"] if "dram" in names else []
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def memory_of(self, operand: str) -> MemoryLevel:
        """The on-chip memory that holds ``operand``."""
        return next(level for level in self.memory if operand in level.holds)

    def datapath_for(self, layer_name: str) -> Datapath:
        """The datapath of one layer: the default with every matching rule of ``layer`` applied in order."""
        changes: dict[str, object] = {}
        for rule in self.layer:
            if fnmatchcase(layer_name, rule.match):
                for key in ("psum", "accumulator", "requantizer"):
                    if getattr(rule, key) is not None:
                        changes[key] = getattr(rule, key)
        return self.datapath.model_copy(update=changes) if changes else self.datapath
