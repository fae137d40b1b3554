"""The machine: one frozen record that timing, exact integers and energy all read."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import get_args

from pydantic import Field, model_validator

from hwsim.hardware.datapath import Datapath, DatapathRule
from hwsim.hardware.fields import EnergyTableField, Operand, PositiveReal, Record, Text
from hwsim.hardware.parts import Dram, MemoryLevel, SystolicArray, VectorUnit
from hwsim.hardware.requantizer import RequantizerPart
from hwsim.units import MEGA

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
    "home_problems",
]


def home_problems(levels: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return what is wrong with memories given as ``(name, holds)``: every operand needs exactly one home.

    >>> home_problems([("a", ["ifmap", "weight", "ofmap"])])
    ["memory: operand 'psum' must be held by exactly one on-chip memory, not 0; add it to `holds` of a [[memory]]"]
    """
    problems = []
    for operand in get_args(Operand):
        homes = [name for name, holds in levels if operand in holds]
        if len(homes) != 1:
            problems.append(
                f"memory: operand {operand!r} must be held by exactly one on-chip memory, not {len(homes)}"
                + (f" ({', '.join(homes)})" if homes else "; add it to `holds` of a [[memory]]")
            )
    names = [name for name, _ in levels]
    problems += [f"memory: name {name!r} is used twice" for name in sorted({n for n in names if names.count(n) > 1})]
    return problems + (["memory: name 'dram' is reserved for the off-chip memory"] if "dram" in names else [])


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
        description="On-chip memories, each a [[memory]] table; together they hold ifmap, weight, ofmap and psum once."
    )
    dram: Dram = Field(default=Dram(), description="Off-chip memory.")
    layer: tuple[DatapathRule, ...] = Field(
        default=(), description="Exceptions by layer name, each a [[layer]] table; later ones win."
    )

    @model_validator(mode="after")
    def _every_operand_has_a_home(self) -> Accelerator:
        problems = home_problems([(level.name, level.holds) for level in self.memory])
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def peak_macs_per_second(self) -> float:
        """Multiply-accumulates per second with every processing element busy."""
        return self.array.rows * self.array.columns * self.clock_mhz * MEGA

    def memory_of(self, operand: str) -> MemoryLevel:
        """The on-chip memory that holds ``operand``."""
        return next(level for level in self.memory if operand in level.holds)

    def datapath_for(self, layer_name: str) -> Datapath:
        """The datapath of one layer: the default with every matching rule of ``layer`` applied in order."""
        changes: dict[str, object] = {}
        for rule in self.layer:
            if fnmatchcase(layer_name, rule.match):
                changes |= rule.changes
        return self.datapath.model_copy(update=changes) if changes else self.datapath
