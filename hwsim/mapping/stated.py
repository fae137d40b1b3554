"""Mappings that a user states, layer by layer, in a TOML file; the same file is what a run writes about what was chosen.

    resident = ["block1.relu"]          # activations that stay on chip; without this key hwsim chooses
    prefetch = true                     # the first weights of a layer come under the layer before

    [[layer]]
    match = "block1.*"                  # a name or a shell pattern; of several rules that match, the last one holds
    tile = {m = 64, k = "all", n = 16}  # elements of each dimension that the memories next to the array hold
    order = "mnk"                       # or "nmk": which dimension of tiles is outermost
    blocks = [{level = 2, m = 128, n = 64, order = "nmk"}]
    groups_together = 1
    groups_in_array = 1

Layers that no rule matches are chosen as usual. Where scales change along k, a tile holds as many whole segments as fit its k.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from hwsim.errors import MappingError, some_of
from hwsim.hardware.fields import Flag, Positive, Record, Text
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Block, Mapping

ALL = "all"


def _read_size(value: Any) -> int | str:
    if value == ALL or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ValueError(f"must be a positive integer or 'all', not {value!r}")


Size = Annotated[
    int | str,
    PlainValidator(_read_size),
    WithJsonSchema({"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"const": ALL}]}),
]
Order = Literal["mnk", "nmk"]


class StatedTile(Record):
    """Sizes of a tile in elements; ``all`` is the whole dimension."""

    m: Size = Field(description="Outputs along m, or all; with a window whole output rows, or whole images.")
    k: Size = Field(description="Products along k, or all; with a window whole channels.")
    n: Size = Field(description="Outputs along n, or all.")


class StatedBlock(Record):
    """What the memories of one level behind the first hold."""

    level: Positive = Field(description="Level of the memories, 2 or more.")
    m: Size = Field(description="Outputs along m, or all.")
    n: Size = Field(description="Outputs along n, or all.")
    order: Order = Field(default="mnk", description="Which dimension of blocks is outermost.")


class MappingRule(Record):
    """How the layers whose name matches are mapped."""

    match: Text = Field(description="Layer name or shell pattern: * any text, ? one character, [ab] one of a and b.")
    tile: StatedTile = Field(description="Sizes of a tile.")
    order: Order = Field(default="mnk", description="Which dimension of tiles is outermost; k is always innermost.")
    blocks: tuple[StatedBlock, ...] = Field(
        default=(), description="Of memories behind the first, the outermost first."
    )
    groups_together: Positive = Field(default=1, description="Groups that are loaded, computed and stored as one step.")
    groups_in_array: Positive = Field(default=1, description="Groups that share a fold of the array.")

    def applied(self, whole: Mapping) -> Mapping:
        """Return the mapping of a layer.

        Args:
            whole: its GEMM on the array as one tile; array, lanes and what stays on chip are taken from it.

        Raises:
            MappingError: a size that the layer or the array does not allow.
        """
        gemm = whole.gemm
        return Mapping(
            gemm=gemm,
            array=whole.array,
            mac=whole.mac,
            ifmap_on_chip=whole.ifmap_on_chip,
            ofmap_on_chip=whole.ofmap_on_chip,
            tile_m=_size(gemm, "m", self.tile.m),
            tile_k=_size(gemm, "k", self.tile.k),
            tile_n=_size(gemm, "n", self.tile.n),
            order=self.order,
            blocks=tuple(
                Block(level=b.level, m=_size(gemm, "m", b.m), n=_size(gemm, "n", b.n), order=b.order)
                for b in self.blocks
            ),
            groups_together=self.groups_together,
            groups_in_array=self.groups_in_array,
        )


class StatedPlan(Record):
    """Mappings by layer, and optionally what stays on chip.

    >>> rule = MappingRule(match="block1.*", tile={"m": 64, "k": "all", "n": 16})
    >>> plan = StatedPlan(layer=(rule,))
    >>> plan.rule_of("block1.conv").tile.n, plan.rule_of("fc")
    (16, None)
    """

    resident: tuple[Text, ...] | None = Field(
        default=None, description="Activations that stay on chip between layers; without the key hwsim chooses."
    )
    prefetch: Flag | None = Field(
        default=None, description="The first weights of a layer come while DRAM is idle under the layer before."
    )
    layer: tuple[MappingRule, ...] = Field(
        default=(), description="Mappings by layer name, each a [[layer]] table; later ones win."
    )

    @model_validator(mode="after")
    def _says_something(self) -> StatedPlan:
        if not self.layer and self.resident is None and self.prefetch is None:
            raise ValueError("must state at least one [[layer]], resident or prefetch")
        return self

    def rule_of(self, layer: str) -> MappingRule | None:
        """Return the last rule that matches a layer."""
        found = [rule for rule in self.layer if fnmatchcase(layer, rule.match)]
        return found[-1] if found else None

    def check_names(self, layers: Iterable[str]) -> None:
        """Raise MappingError for a pattern that matches none of ``layers``, the array layers of the network."""
        names = list(layers)
        for rule in self.layer:
            if not any(fnmatchcase(name, rule.match) for name in names):
                raise MappingError(
                    f"stated mappings: no array layer matches {rule.match!r}; the network has {_some(names)}"
                )


def _size(gemm: Gemm, dim: str, size: int | str) -> int:
    return gemm.shape[dim] if isinstance(size, str) else size


def _some(names: list[str]) -> str:
    return some_of([repr(name) for name in names], 6)
