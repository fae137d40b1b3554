"""Range estimators, one per file: from what calibration saw to the range a grid should cover.

Each file offers ``estimate(observation, number, symmetric) -> (low, high)``; the file name is the name in plans.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges.observation import Observation

Estimator = Callable[[Observation, IntFormat, bool], tuple[float, float]]


def names() -> tuple[str, ...]:
    """Return the names of the estimators found in this folder."""
    return tuple(sorted(info.name for info in iter_modules(__path__) if info.name != "observation"))


def estimator(name: str) -> Estimator:
    """Return the estimator of that name; raise HwsimError if there is none."""
    if name not in names():
        raise HwsimError(f"range estimator: {name!r} is unknown{did_you_mean(name, names())}")
    return import_module(f"{__name__}.{name}").estimate


__all__ = ["Observation", "estimator", "names"]
