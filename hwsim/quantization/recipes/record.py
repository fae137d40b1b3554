"""What a recipe states of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal

from hwsim.errors import HwsimError, did_you_mean
from hwsim.hardware.precision import Statement
from hwsim.quantization.state import State, Step

Value = int | float | str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice that a recipe leaves to its user.

    Args:
        name: the name.
        default: its value where it is not stated, which also tells its type.
        help: one line.
        choices: the values it may take; empty: any of its type.
        fills: the key of the plan's default that it decides, where there is one: both may not be stated.
        least: smallest value of a number; None: any.
        extra: of hwsim, that the recipe needs where the option is on: ``train`` where it learns then, ``search``.
    """

    name: str
    default: Value
    help: str
    choices: tuple[Value, ...] = ()
    fills: str | None = None
    least: float | None = None
    extra: Literal["train", "search"] | None = None

    def read(self, recipe: str, value: Value) -> Value:
        """Return ``value``, or the text of one, as the option's type; raise HwsimError where it is none."""
        kind = type(self.default)
        try:
            found: Value = _READ[kind](value)
        except (ValueError, TypeError, OverflowError):
            raise HwsimError(
                f"recipe {recipe}: option {self.name} takes {_article(kind.__name__)}, not {value!r}"
            ) from None
        if self.choices and found not in self.choices:
            known = ", ".join(map(str, self.choices))
            raise HwsimError(f"recipe {recipe}: option {self.name} is one of {known}, not {value!r}")
        if self.least is not None and float(found) < self.least:
            raise HwsimError(f"recipe {recipe}: option {self.name} must be {self.least:g} or more, not {found}")
        return found


CLIP_TO_RELU = Option(
    name="clip_to_relu",
    default=True,
    help="replace ReLU6 by ReLU on edges that could be equalized otherwise; false: leave such edges as they are",
)
"""Of recipes that equalize."""


def _nothing(chosen: Mapping[str, Any], given: Mapping[str, Value]) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A published method as a sequence of steps.

    Args:
        title: one line.
        paper: authors, year, where it is to be read.
        steps: from the options' values to the steps, in order.
        loss: what the method makes small, of a finished state; lower is better.
        baseline: what it must not lose to by that loss: the name of another recipe, or the loss of the same state before
            the method's own step.
        options: choices of the user.
        assumes: from the options' values and those of them that are stated, what the defaults take for granted of the network,
            as a sentence; None where nothing is.
        is_data_free: works without calibration images.
        needs_torch: learns whatever the options, and needs the ``train`` extra.
    """

    title: str
    paper: str
    steps: Callable[[Mapping[str, Any]], tuple[Step, ...]]
    loss: Callable[[State], float]
    baseline: str | Callable[[State], float]
    options: tuple[Option, ...] = ()
    assumes: Callable[[Mapping[str, Any], Mapping[str, Value]], str | None] = _nothing
    is_data_free: bool = False
    needs_torch: bool = False

    def learns(self, chosen: Mapping[str, Any]) -> bool:
        """Whether the recipe needs the ``train`` extra with these values of its options."""
        return self.needs_torch or any(option.extra == "train" and chosen[option.name] for option in self.options)

    def chosen(
        self, name: str, given: Mapping[str, Value] | None, stated: Statement | None = None
    ) -> Mapping[str, Any]:
        """Return every option's value.

        Args:
            name: of the recipe.
            given: options by name.
            stated: what the plan's default states.

        Raises:
            HwsimError: in the name of the recipe, for an option that it does not have, or that decides what is stated.
        """
        known = {option.name: option for option in self.options}
        for key in given or {}:
            if key not in known:
                hint = did_you_mean(key, known) if known else "; it has none"
                raise HwsimError(f"recipe {name}: option {key!r} is unknown{hint}")
            fills = known[key].fills
            held = getattr(stated, fills) if stated is not None and fills is not None else None
            if held is not None:
                raise HwsimError(
                    f"recipe {name}: option {key} decides {fills}, which is stated as {held}; leave one of them out"
                )
        read = {key: known[key].read(name, value) for key, value in (given or {}).items()}
        return MappingProxyType({key: read.get(key, option.default) for key, option in known.items()})


def _flag(value: Value) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _whole(value: Value) -> int:
    if isinstance(value, bool) or (not isinstance(value, str) and int(value) != value):
        raise ValueError
    return int(value)


def _number(value: Value) -> float:
    found = float(value)
    if isinstance(value, bool) or not isfinite(found):
        raise ValueError
    return found


_READ: dict[type, Callable[[Value], Value]] = {bool: _flag, int: _whole, float: _number, str: str}


def _article(kind: str) -> str:
    return {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false"}[kind]
