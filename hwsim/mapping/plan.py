"""What a scheduler decided about a network on a machine."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass

from hwsim.mapping.mapping import Mapping


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A mapping for every array layer, and what stays on chip between layers.

    Args:
        mappings: by layer name.
        resident: tensors that do not pass through DRAM.
        prefetch: the first weights of a layer come while DRAM is idle at the end of the layer before.
    """

    mappings: MappingType[str, Mapping]
    resident: frozenset[str] = frozenset()
    prefetch: bool = False
