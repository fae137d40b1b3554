"""Requantizer schemes: one file each, imported by name; every file is a definition on unbounded integers.

A file provides ``real_scale``, ``constants``, ``requantize_one``, ``sum_constants`` and ``rescale_sum_one``; see
``fixed_point`` for a commented example. A new file is a new scheme: nothing else needs to be told. Until it has a kernel,
``hwsim.kernels.requantize`` runs its definition, slowly and exactly.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from hwsim.errors import HwsimError, did_you_mean


def names() -> tuple[str, ...]:
    """Return the schemes, sorted: the files of this folder that do not start with an underscore.

    >>> {"fixed_point", "float32", "power_of_two"} <= set(names())
    True
    """
    return tuple(sorted(entry.name for entry in iter_modules(__path__) if not entry.name.startswith("_")))


def definition(scheme: str) -> ModuleType:
    """Return the module that defines ``scheme``; raise HwsimError for a name without a file."""
    if scheme not in names():
        raise HwsimError(f"requantizer: scheme {scheme!r} is unknown{did_you_mean(scheme, names())}")
    return import_module(f"{__name__}.{scheme}")
