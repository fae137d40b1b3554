"""Names that a machine file may use although other rooms own them, found as files without importing those rooms."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def requantizer_schemes() -> tuple[str, ...]:
    """Return the requantizer schemes: the modules of ``hwsim.numerics.requantizers``, sorted."""
    folder = files("hwsim.numerics") / "requantizers"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(n.removesuffix(".py") for n in names if n.endswith(".py") and not n.startswith("_")))


@cache
def energy_tables() -> tuple[str, ...]:
    """Return the bundled energy tables: ``hwsim/energy/tables/*.toml``, sorted."""
    folder = files("hwsim") / "energy" / "tables"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def is_path(name: str) -> bool:
    """Whether ``name`` is a path to a file of the user's own rather than a bundled name.

    >>> is_path("generic_45nm"), is_path("tables/ours.toml")
    (False, True)
    """
    return name.endswith(".toml") or "/" in name or "\\" in name
