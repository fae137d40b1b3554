"""Published methods of post-training quantization, one short file each: the file's name is the recipe's.

A file offers ``RECIPE``. What it costs on a machine follows from the grids that it ends with (``hwsim.mapping.demands``); the
file says nothing of it.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from hwsim.errors import HwsimError, did_you_mean
from hwsim.quantization.recipes.record import Option, Recipe

_PARTS = ("losses", "mixed", "probe", "record", "run")


def names() -> tuple[str, ...]:
    """Return the names of the recipes found in this folder."""
    return tuple(sorted(info.name for info in iter_modules(__path__) if info.name not in _PARTS))


def recipe_of(name: str) -> Recipe:
    """Return the recipe of that name; raise HwsimError if there is none."""
    if name not in names():
        raise HwsimError(f"recipe: {name!r} is unknown{did_you_mean(name, names())}; hwsim show recipes lists them")
    found: Recipe = import_module(f"{__name__}.{name}").RECIPE
    return found


__all__ = ["Option", "Recipe", "names", "recipe_of"]
