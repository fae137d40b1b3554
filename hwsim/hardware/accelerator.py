"""The machine: one frozen record that timing, exact integers and energy all read."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field, model_validator

from hwsim.hardware.datapath import Datapath, DatapathRule
from hwsim.hardware.decoupled import DecoupledUnits
from hwsim.hardware.fields import EnergyTableField, Operand, PositiveReal, Record, Text
from hwsim.hardware.hierarchy import Place, home_problems
from hwsim.hardware.parts import Dram, MemoryLevel, SystolicArray, VectorUnit
from hwsim.hardware.requantizer import RequantizerPart
from hwsim.units import MEGA

PEAK_BITS = 8

__all__ = [
    "Accelerator",
    "Datapath",
    "DatapathRule",
    "Dram",
    "MemoryLevel",
    "Operand",
    "RequantizerPart",
    "SystolicArray",
    "VectorUnit",
]


class Accelerator(Record):
    """A machine; see ``hwsim/hardware/presets`` for commented examples.

    Raises:
        pydantic.ValidationError: all problems at once (``hwsim.hardware.load_accelerator`` turns it into a ConfigError).
    """

    name: Text = Field(description="Name in reports.")
    description: str = Field(default="", description="One sentence for lists of machines.")
    clock_mhz: PositiveReal = Field(description="Clock of array, memories and vector unit in MHz.")
    energy_table: EnergyTableField = Field(
        default="generic_45nm",
        description="Prices: a file of hwsim/energy/tables such as generic_28nm, or the path of a .toml (relative to this file).",
    )
    array: SystolicArray = Field(description="The systolic array.")
    datapath: Datapath = Field(
        default=Datapath(), description="Widths and rules between the operands and the output code."
    )
    vector: VectorUnit = Field(default=VectorUnit(), description="Vector unit and requantizers.")
    memory: tuple[MemoryLevel, ...] = Field(
        description="On-chip memories, each a [[memory]] table; those of level 1 together hold ifmap, weight, ofmap and psum once."
    )
    dram: Dram = Field(default=Dram(), description="Off-chip memory.")
    decoupled: DecoupledUnits | None = Field(
        default=None, description="Queues and pipeline stages of units that run on commands; none: not modelled."
    )
    layer: tuple[DatapathRule, ...] = Field(
        default=(), description="Exceptions by layer name, each a [[layer]] table; later ones win."
    )

    @model_validator(mode="after")
    def _every_operand_has_a_home(self) -> Accelerator:
        problems = home_problems([Place(level.name, level.holds, level.level) for level in self.memory])
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def peak_macs_per_second(self) -> float:
        """Multiply-accumulates per second with every processing element busy, at ``peak_bits`` and with dense weights."""
        each = self.datapath.mac.shape(*self.peak_bits).macs_per_cycle
        return self.array.rows * self.array.columns * float(each) * self.clock_mhz * MEGA

    @property
    def peak_bits(self) -> tuple[int, int]:
        """The operand widths (activation, weight) of the peak: the multiplier's, else 8, or what the MAC mode takes."""
        datapath = self.datapath
        a, w = datapath.multiplier_activation_bits or PEAK_BITS, datapath.multiplier_weight_bits or PEAK_BITS
        while datapath.mac.problem(a, w):
            a, w = a - 1, w - 1
        return a, w

    def memory_of(self, operand: str) -> MemoryLevel:
        """The on-chip memory next to the array that holds ``operand``."""
        return self.path_of(operand)[0]

    @property
    def resident_memory(self) -> MemoryLevel:
        """The memory in which an activation stays between layers: the last one that results pass on chip."""
        return self.path_of("ofmap")[-1]

    def path_of(self, operand: str) -> tuple[MemoryLevel, ...]:
        """The on-chip memories that ``operand`` passes, from the array outwards."""
        return tuple(sorted((m for m in self.memory if operand in m.holds), key=lambda memory: memory.level))

    def datapath_for(self, layer_name: str) -> Datapath:
        """The datapath of one layer: the default with every matching rule of ``layer`` applied in order."""
        changes: dict[str, object] = {}
        for rule in self.layer:
            if fnmatchcase(layer_name, rule.match):
                changes |= rule.changes
        return self.datapath.model_copy(update=changes) if changes else self.datapath
