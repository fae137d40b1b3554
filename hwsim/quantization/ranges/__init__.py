"""Range estimators, one per file: from what calibration saw to the range a grid should cover.

Each file offers ``estimate(observation, number, symmetric) -> (low, high)``; the file name is the name in plans. ``NEEDS`` of
the file names what it reads of an ``Observation`` beside the extremes, so that calibration collects nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges.observation import Observation

Estimator = Callable[[Observation, IntFormat, bool], tuple[float, float]]


def names() -> tuple[str, ...]:
    """Return the names of the estimators found in this folder."""
    found = [info.name for info in iter_modules(__path__) if not info.ispkg and not info.name.startswith("_")]
    return tuple(sorted(name for name in found if name != "observation"))


def estimator(name: str) -> Estimator:
    """Return the estimator of that name; raise HwsimError if there is none."""
    function: Estimator = _module(name).estimate
    return function


def needs(name: str) -> frozenset[str]:
    """Return what the estimator of that name reads of an Observation; raise HwsimError if there is none."""
    return frozenset(_module(name).NEEDS)


def _module(name: str) -> ModuleType:
    if name not in names():
        raise HwsimError(f"range estimator: {name!r} is unknown{did_you_mean(name, names())}")
    return import_module(f"{__name__}.{name}")


__all__ = ["Observation", "estimator", "names", "needs"]
