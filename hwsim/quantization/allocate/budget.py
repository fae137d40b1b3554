"""Budgets in words: a number in the cost's unit, a share of the widest network, or as much as a uniform one."""

from __future__ import annotations

import re

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.allocate.allocator import Allocator
from hwsim.quantization.allocate.knobs import Key, Knob

_SHARE = re.compile(r"([0-9.]+) *%")


def budget_of(text: float | str, allocator: Allocator) -> float:
    """Return a budget in the unit of the allocator's cost.

    Args:
        text: a number; ``60%`` of the network with every knob at its widest; ``int4``, what the network with weights of that
            width in every layer costs, or ``int4/uint6`` with results of that width, too. Other keys are at their widest.
        allocator: prices these.

    Raises:
        HwsimError: a text that is none of these, or a number that is not positive.
    """
    if isinstance(text, str) and not _is_number(text):
        return _share(text, allocator) or _as_uniform(text, allocator)
    budget = float(text)
    if not 0 < budget < float("inf"):
        raise HwsimError(f"allocate: a budget must be positive and finite, not {text}")
    return budget


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _share(text: str, allocator: Allocator) -> float | None:
    match = _SHARE.fullmatch(text.strip())
    if match is None:
        return None
    share = float(match[1]) / 100
    if not share > 0:
        raise HwsimError(f"allocate: a share must be positive, not {text!r}")
    return share * allocator.pricer.price(allocator.choices.knobs, allocator.choices.widest)


def _as_uniform(text: str, allocator: Allocator) -> float:
    parts = text.split("/")
    try:
        formats = [IntFormat.parse(part.strip()) for part in parts]
    except HwsimError:
        formats = []
    if len(formats) not in (1, 2):
        raise HwsimError(
            f"allocate: a budget is a number, a share such as 60%, or a network such as int4 or int4/uint6, not {text!r}"
        )
    keys: tuple[Key, ...] = ("weights", "activations")
    wanted = {key: number.bits for key, number in zip(keys, formats, strict=False)}
    rows = zip(allocator.choices.knobs, allocator.choices.widest, strict=True)
    bits = {knob: wanted.get(knob.key, widest) for knob, widest in rows}
    free = {knob.key for knob in bits}
    for key in wanted:
        if key not in free:
            raise HwsimError(f"allocate: the budget {text!r} states {key}, which are not allocated")
    knobs: tuple[Knob, ...] = tuple(bits)
    return allocator.pricer.price(knobs, tuple(bits.values()))
