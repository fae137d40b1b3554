"""The parts of a machine beside its datapath: array, vector unit, on-chip memories and DRAM."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hwsim.hardware.dataflow import DATAFLOWS, Dataflow
from hwsim.hardware.fields import Flag, NotNegative, Operand, Positive, Record, Text


class SystolicArray(Record):
    """A grid of multiply-accumulate processing elements."""

    dataflow: Literal["weight_stationary", "output_stationary", "input_stationary"] = Field(
        description="Which operand stays in the processing elements."
    )
    rows: Positive = Field(description="Processing elements in a column.")
    columns: Positive = Field(description="Processing elements in a row.")
    vertical_hop_registers: Positive = Field(
        default=1, description="Registers between a processing element and the one below it: h of the cycle law."
    )
    pipeline_latency_cycles: NotNegative = Field(
        default=0, description="Fixed latency of input and output registers in cycles: lambda of the cycle law."
    )
    multiplier_latency_cycles: NotNegative = Field(
        default=0,
        description="Registers between the multiplier and the adder of a processing element: a constant latency.",
    )
    adder_latency_cycles: NotNegative = Field(
        default=0,
        description="Pipeline registers inside the adder: they lengthen each vertical hop of a moving partial sum; a partial sum that stays is complete as many cycles later, its feedback pipelined inside the adder.",
    )
    drain: Literal["none", "down", "right"] = Field(
        default="down",
        description="How an output-stationary array empties: none (parallel read-out), down (rows shifts), right (columns shifts).",
    )
    overlap_load: Flag = Field(
        default=True, description="The next stationary operand loads while the current fold computes."
    )
    overlap_drain: Flag = Field(
        default=True,
        description="The pipeline of one fold empties, and an output-stationary fold drains, while the next fold computes.",
    )
    drain_start: Literal["as_ready", "when_complete"] = Field(
        default="as_ready",
        description="When an output-stationary fold begins to leave: as_ready (each result once it is done), or when_complete (in one piece after its last result; a fold of fewer vectors than skew and drain together then waits until the one before has left).",
    )
    stream_block: Positive = Field(
        default=1,
        description="Vectors that stream as one unbroken block: the next fold waits for the end of a last block that is not full.",
    )
    adder_tree: Positive = Field(
        default=1,
        description="Products that an adder tree sums exactly before each addition to the partial sum: 1 in a systolic array, the inputs of the tree in a dot-product unit.",
    )
    k_order: Literal["kernel_channel", "channel_kernel"] = Field(
        default="kernel_channel",
        description="Order of a convolution's products: kernel_channel (channel innermost, as in NHWC memories) or channel_kernel (ONNX weight order).",
    )

    @property
    def flow(self) -> Dataflow:
        """The dataflow record."""
        return DATAFLOWS[self.dataflow]


class VectorUnit(Record):
    """The unit for everything that is not a matrix product, and the requantizers at the array's edge."""

    lanes: Positive = Field(default=16, description="Elements per cycle and operation.")
    bits: Positive = Field(default=32, description="Operand width of the integer lanes in bits.")
    requantizer_lanes: Positive = Field(default=16, description="Accumulators turned into output codes per cycle.")


class MemoryLevel(Record):
    """An on-chip memory."""

    name: Text = Field(description="Name in reports and overrides (memory.<name>.size_bytes).")
    holds: Annotated[tuple[Operand, ...], Field(min_length=1)] = Field(
        description="Operands kept here; every operand has exactly one at level 1."
    )
    size_bytes: Positive = Field(description="Capacity in bytes.")
    read_bits_per_cycle: Positive = Field(description="Read bandwidth towards the array in bits per cycle.")
    write_bits_per_cycle: Positive = Field(description="Write bandwidth in bits per cycle.")
    level: Annotated[Positive, Field(le=5)] = Field(
        default=1,
        description="1: next to the array. 2 to 5: behind it, on the way to DRAM; such a level may hold only some of ifmap, weight and ofmap.",
    )
    ports: Literal["1r1w", "1rw"] = Field(
        default="1r1w", description="A read and a write port of their own, or one port for both in turn."
    )
    banks: Positive = Field(
        default=1, description="Equal parts with ports of their own; an access wakes one bank, which costs less."
    )
    double_buffered: Flag = Field(
        default=True, description="Half of the capacity is filled while the other half is used."
    )


class Dram(Record):
    """Off-chip memory."""

    kind: Text = Field(
        default="lpddr4", description="DRAM type: a row of the energy table, such as lpddr4, ddr4 or hbm2."
    )
    bits_per_cycle: Positive = Field(default=64, description="Bandwidth in bits per cycle of the accelerator's clock.")
    latency_cycles: NotNegative = Field(default=100, description="Cycles from a request to its first data.")
    burst_bits: Positive = Field(
        default=1, description="Smallest transfer in bits: every contiguous run of a tile takes whole bursts."
    )
    separate_writes: Flag = Field(
        default=False, description="Writes have a channel of their own, as wide as that of reads."
    )
