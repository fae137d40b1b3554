"""Which activations stay on chip between layers: greedily, the largest saving first, as long as the network gets better.

A tensor that stays takes its room from the tiles of every layer during its lifetime, so each of these is mapped anew with what
is left. What counts is the objective summed over all layers as they are chosen, which never gets worse; the weights that come
early are not known yet, and may turn the balance by a percent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from hwsim.errors import MappingError, did_you_mean
from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.liveness import Lifetime
from hwsim.schedule.choose import Choice, Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is on chip while a layer runs.

    Args:
        resident: tensors that stay.
        reserved_bytes: taken by all that are alive.
    """

    resident: frozenset[str] = frozenset()
    reserved_bytes: int = 0


Choose = Callable[[int, Context], Choice]


def keep_on_chip(
    choices: list[Choice], alive: list[Lifetime], choose: Choose, accelerator: Accelerator, objective: Objective
) -> tuple[list[Choice], frozenset[str]]:
    """Return the choices and the tensors that stay.

    Args:
        choices: of every task with nothing on chip.
        alive: what could stay.
        choose: (task index, context) -> its best choice; raises MappingError where nothing fits.
        accelerator: the machine.
        objective: what must fall.
    """
    home = accelerator.resident_memory
    best = list(choices)
    kept: list[Lifetime] = []
    total = _total(best, objective)
    for one in sorted(alive, key=lambda life: (-life.size_bytes * (1 + life.reads), life.first)):
        if one.size_bytes > home.size_bytes:
            continue
        tried = [*kept, one]
        changed = {}
        try:
            for i in range(one.first, one.last + 1):
                changed[i] = choose(i, _context(tried, i))
        except MappingError:
            continue
        after = [changed.get(i, choice) for i, choice in enumerate(best)]
        value = _total(after, objective)
        if value < total:
            best, kept, total = after, tried, value
    return best, frozenset(life.tensor for life in kept)


def keep_stated(
    tensors: Collection[str], tasks: int, alive: list[Lifetime], choose: Choose
) -> tuple[list[Choice], frozenset[str]]:
    """Return the choices of all ``tasks`` while exactly ``tensors`` stay; arguments as of ``keep_on_chip``.

    Raises:
        MappingError: a name that is no activation between layers, or tensors that leave no room.
    """
    known = {life.tensor: life for life in alive}
    for name in tensors:
        if name not in known:
            raise MappingError(
                f"stated mappings: resident: {name!r} is no activation between layers{did_you_mean(name, known)}"
            )
    kept = [known[name] for name in dict.fromkeys(tensors)]
    return [choose(i, _context(kept, i)) for i in range(tasks)], frozenset(tensors)


def _context(kept: list[Lifetime], i: int) -> Context:
    here = [life for life in kept if life.first <= i <= life.last]
    return Context(
        resident=frozenset(life.tensor for life in here), reserved_bytes=sum(life.size_bytes for life in here)
    )


def _total(choices: list[Choice], objective: Objective) -> tuple[float, float]:
    cycles = sum(choice.cycles for choice in choices)
    if objective == "cycles":
        return cycles, sum(choice.dram_bits for choice in choices)
    energy = sum(choice.energy_pj for choice in choices)
    return (energy, cycles) if objective == "energy" else (energy * cycles, cycles)
