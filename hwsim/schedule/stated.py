"""Mappings that the user states: legal on this machine or an error that says what is missing."""

from __future__ import annotations

from hwsim.errors import MappingError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.legal import memory_bytes
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.stated import MappingRule
from hwsim.mapping.tiles import cuts
from hwsim.schedule.choose import MAX_STEPS, Choice, Objective, choice_of, whole_product
from hwsim.schedule.shortage import missing
from hwsim.units import ceil_div


def stated_choice(
    rule: MappingRule,
    gemm: Gemm,
    accelerator: Accelerator,
    datapath: Datapath,
    *,
    objective: Objective = "cycles",
    ifmap_on_chip: bool = False,
    ofmap_on_chip: bool = False,
    reserved_bytes: int = 0,
) -> Choice:
    """Return the mapping that ``rule`` states and its cost; arguments as of ``hwsim.schedule.choose.choose``.

    Raises:
        MappingError: sizes that the layer does not allow, tiles that the memories do not hold, or over MAX_STEPS of them.
    """
    whole = whole_product(gemm, accelerator, datapath, ifmap_on_chip=ifmap_on_chip, ofmap_on_chip=ofmap_on_chip)
    try:
        mapping = rule.applied(whole)
        _check(mapping, accelerator, datapath, reserved_bytes)
    except MappingError as error:
        raise MappingError(f"{error} (stated for {rule.match!r})") from None
    return choice_of(mapping, accelerator, datapath, objective)


def _check(mapping: Mapping, accelerator: Accelerator, datapath: Datapath, reserved_bytes: int) -> None:
    gemm, levels = mapping.gemm, max(memory.level for memory in accelerator.memory)
    for block in mapping.blocks:
        if block.level > levels:
            raise MappingError(
                f"mapping: a block's level must be 2..{levels} on {accelerator.name}, not {block.level}"
                if levels > 1
                else f"mapping: {accelerator.name} has memories of level 1 only, so there is no block of level {block.level}"
            )
    steps = len(cuts(gemm, "m", mapping.tile_m)) * len(cuts(gemm, "k", mapping.tile_k))
    steps *= ceil_div(gemm.n, mapping.tile_n)
    steps *= ceil_div(gemm.groups, mapping.groups_together)
    tile = f"{mapping.tile_m} x {mapping.tile_k} x {mapping.tile_n} (m x k x n)"
    if steps > MAX_STEPS:
        raise MappingError(f"mapping: a tile of {tile} makes {steps} steps, more than {MAX_STEPS}; state a larger tile")
    needed = memory_bytes(mapping, accelerator, datapath)
    needed[accelerator.resident_memory.name] += reserved_bytes
    lacks, changes = missing(needed, accelerator)
    if lacks:
        beside = f", {reserved_bytes} of them for activations that stay on chip" if reserved_bytes else ""
        raise MappingError(
            f"mapping: a tile of {tile} does not fit {accelerator.name}: {lacks}{beside}; state a smaller tile, or enlarge "
            f"the memory: {changes}"
        )
