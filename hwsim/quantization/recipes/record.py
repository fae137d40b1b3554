"""What a recipe states of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hwsim.errors import HwsimError, did_you_mean
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
    """

    name: str
    default: Value
    help: str
    choices: tuple[Value, ...] = ()

    def read(self, recipe: str, value: Value) -> Value:
        """Return ``value``, or the text of one, as the option's type; raise HwsimError where it is none."""
        kind = type(self.default)
        try:
            found: Value = _flag(value) if kind is bool else kind(value)
        except ValueError:
            raise HwsimError(
                f"recipe {recipe}: option {self.name} takes {_article(kind.__name__)}, not {value!r}"
            ) from None
        if self.choices and found not in self.choices:
            known = ", ".join(map(str, self.choices))
            raise HwsimError(f"recipe {recipe}: option {self.name} is one of {known}, not {value!r}")
        return found


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
        is_data_free: works without calibration images.
        needs_torch: learns, and needs the ``train`` extra.
    """

    title: str
    paper: str
    steps: Callable[[Mapping[str, Any]], tuple[Step, ...]]
    loss: Callable[[State], float]
    baseline: str | Callable[[State], float]
    options: tuple[Option, ...] = ()
    is_data_free: bool = False
    needs_torch: bool = False

    def chosen(self, name: str, given: Mapping[str, Value] | None) -> Mapping[str, Any]:
        """Return every option's value; raise HwsimError, in the name of the recipe, for one that it does not have."""
        known = {option.name: option for option in self.options}
        for key in given or {}:
            if key not in known:
                hint = did_you_mean(key, known) if known else "; it has none"
                raise HwsimError(f"recipe {name}: option {key!r} is unknown{hint}")
        read = {key: known[key].read(name, value) for key, value in (given or {}).items()}
        return MappingProxyType({key: read.get(key, option.default) for key, option in known.items()})


def _flag(value: Value) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _article(kind: str) -> str:
    return {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false"}[kind]
