"""Files of stated mappings: read, and written about a plan, so that a user can edit what was chosen."""

from __future__ import annotations

import re
from pathlib import Path

from hwsim.hardware.dump import toml_value
from hwsim.hardware.files import read_toml
from hwsim.hardware.problems import validate
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan
from hwsim.mapping.stated import MappingRule, StatedPlan

HEAD = "# Mappings by layer, for --mapping; sizes in elements of m, k, n. README.md explains the keys.\n"


def load_stated(path: str | Path) -> StatedPlan:
    """Return the stated plan of a ``.toml`` file.

    Raises:
        ConfigError: every problem of the file at once; or a missing or broken file.
    """
    where = str(path)
    return validate(StatedPlan, read_toml(Path(path), where), where)


def stated_of(plan: Plan) -> StatedPlan:
    """Return a plan as if a user had stated all of it: what is scheduled with it is the plan again."""
    return StatedPlan(
        resident=tuple(sorted(plan.resident)),
        prefetch=plan.prefetch,
        layer=tuple(_rule(layer, mapping) for layer, mapping in plan.mappings.items()),
    )


def dump_stated(stated: StatedPlan) -> str:
    """Return the file that loads as an equal record; keys that say nothing new are left out."""
    data = stated.model_dump(mode="json", exclude_none=True)
    lines = [f"{key} = {toml_value(data[key])}" for key in ("resident", "prefetch") if key in data]
    for rule, table in zip(stated.layer, data.get("layer", ()), strict=True):
        defaults = {name: field.default for name, field in type(rule).model_fields.items()}
        stated_keys = [key for key in table if getattr(rule, key) != defaults[key]]
        lines += ["", "[[layer]]", *(f"{key} = {toml_value(table[key])}" for key in stated_keys)]
    return HEAD + "\n".join(lines) + "\n"


def _rule(layer: str, mapping: Mapping) -> MappingRule:
    tile = {"m": mapping.tile_m, "k": mapping.tile_k, "n": mapping.tile_n}
    blocks = [{"level": block.level, "m": block.m, "n": block.n, "order": block.order} for block in mapping.blocks]
    return MappingRule.model_validate(
        {
            "match": re.sub(r"([*?[])", r"[\1]", layer),  # a name, not a pattern
            "tile": tile,
            "order": mapping.order,
            "blocks": blocks,
            "groups_together": mapping.groups_together,
            "groups_in_array": mapping.groups_in_array,
        }
    )
