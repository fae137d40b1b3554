"""Groups of options that verbs share: a verb takes a record of each group that it reads, and the command line shows its fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import update_wrapper
from pathlib import Path
from typing import Any, get_type_hints

from hwsim.cli import options


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which network on which machine."""

    network: options.Network = options.DEFAULT_NETWORK
    hardware: options.Hardware = options.DEFAULT_HARDWARE
    overrides: options.Overrides = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How a network is read."""

    batch: options.Batch = 1
    dimensions: options.Dimensions = None
    seed: options.Seed = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Formats of operands, and how sums leave the array."""

    precision: options.Precision = None
    weights: options.Weights = None
    activations: options.Activations = None
    requantizer: options.RequantizerText = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """Registers of sums."""

    accumulator: options.AccumulatorText = None
    psum: options.PsumText = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How grids are found."""

    range_: options.RangeText = None
    granularity: options.Granularity = None
    recipe: options.RecipeName = None
    recipe_options: options.RecipeOptions = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Images to run, and those that set ranges."""

    inputs: options.Inputs = None
    calibration: options.Calibration = None
    images: options.Images = None

    @property
    def are_stated(self) -> bool:
        """Whether the user names any."""
        return (self.inputs, self.calibration, self.images) != (None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapper:
    """What the mapper minimizes and may use."""

    objective: options.ObjectiveText = options.DEFAULT_OBJECTIVE
    residency: options.Residency = True
    prefetch: options.Prefetch = True


def grouped(**defaults: str | int | Path) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a verb the fields of its groups as options of its own.

    Args:
        defaults: of fields whose group states another one.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        stated = inspect.signature(verb, eval_str=True).parameters
        shown: dict[str, inspect.Parameter] = {}
        for name, parameter in stated.items():
            group = parameter.annotation
            found = _fields(group, defaults) if inspect.isclass(group) and is_dataclass(group) else [parameter]
            for one in found:
                assert one.name not in shown, f"{verb.__name__}: {one.name} stands in two groups, one of them {name}"
                shown[one.name] = one
        assert defaults.keys() <= shown.keys()

        def call(**given: Any) -> None:
            arguments: dict[str, Any] = {}
            for name, parameter in stated.items():
                group = parameter.annotation
                own = [field.name for field in fields(group)] if is_dataclass(group) else []
                arguments[name] = group(**{key: given[key] for key in own}) if own else given[name]
            verb(**arguments)

        command: Any = update_wrapper(call, verb)  # functions are not declared to have a signature that can be set
        command.__signature__ = inspect.Signature(list(shown.values()))
        command.__annotations__ = {name: parameter.annotation for name, parameter in shown.items()}
        return call

    return decorate


def _fields(group: type, defaults: dict[str, Any]) -> list[inspect.Parameter]:
    """Return the fields of a group as parameters."""
    hints = get_type_hints(group, include_extras=True)
    found = []
    for field in fields(group):
        assert field.default is not MISSING
        default = defaults.get(field.name, field.default)
        kind = inspect.Parameter.KEYWORD_ONLY
        found.append(inspect.Parameter(field.name, kind, default=default, annotation=hints[field.name]))
    return found
