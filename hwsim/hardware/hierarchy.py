"""How memories stack up between the array and DRAM: one home per operand at level 1, optional levels behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

from hwsim.hardware.fields import Operand


class Place(NamedTuple):
    """What the rules of the hierarchy read of a memory."""

    name: str
    holds: Sequence[str]
    level: int = 1


def home_problems(places: Sequence[Place]) -> list[str]:
    """Return what is wrong between memories: every operand has one home at level 1, and at most one memory behind it at each level.

    >>> home_problems([Place("a", ["ifmap", "weight", "ofmap"])])
    ["memory: operand 'psum' must be held by exactly one on-chip memory of level 1, not 0; add it to `holds` of a [[memory]]"]
    """
    problems = []
    for operand in get_args(Operand):
        homes = [place.name for place in places if operand in place.holds and place.level == 1]
        if len(homes) != 1:
            problems.append(
                f"memory: operand {operand!r} must be held by exactly one on-chip memory of level 1, not {len(homes)}"
                + (f" ({', '.join(homes)})" if homes else "; add it to `holds` of a [[memory]]")
            )
        for level in sorted({place.level for place in places if place.level > 1}):
            behind = [place.name for place in places if operand in place.holds and place.level == level]
            if operand == "psum" and behind:
                problems.append(f"memory: partial sums stay at level 1; take psum out of `holds` of {behind[0]!r}")
            elif len(behind) > 1:
                problems.append(f"memory: operand {operand!r} is held twice at level {level} ({', '.join(behind)})")
    names = [place.name for place in places]
    problems += [f"memory: name {name!r} is used twice" for name in sorted({n for n in names if names.count(n) > 1})]
    return problems + (["memory: name 'dram' is reserved for the off-chip memory"] if "dram" in names else [])
