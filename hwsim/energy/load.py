"""Find an energy table by name or path, lay it over the table it is based on, and read it."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from hwsim.energy.parse import parse_table
from hwsim.energy.table import EnergyTable
from hwsim.errors import ConfigError, HwsimError, did_you_mean

FOLDER = Path(__file__).parent / "tables"


def table_names() -> tuple[str, ...]:
    """Return the names of the tables that come with hwsim, one for each TOML file of ``hwsim/energy/tables``."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_table(name_or_path: str | Path) -> EnergyTable:
    """Return the table of a name in ``table_names()``, or of a TOML file of yours.

    A text that ends in ``.toml`` or holds a path separator is a path, relative to the current directory. A file may
    say ``base = "generic_45nm"`` (or a path relative to itself) and then state only what differs: keys of
    ``[technology]``, ``[sram]`` and ``[overrides]`` and types of ``[dram.types]`` one by one, laws as a whole.

    Raises ``HwsimError`` for an unknown table, ``ConfigError`` with every problem of the file.

    >>> round(load_table("generic_45nm").multiply_pj(8, 8, activity=1.0), 3)
    0.2
    """
    path = _find(name_or_path, Path())
    return parse_table(path.stem, path.name, _merged(path, ()))


def _find(name_or_path: str | Path, beside: Path) -> Path:
    """Return the file of a name or path."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        path = beside / name_or_path
        if not path.is_file():
            raise HwsimError(f"energy table {text}: there is no such file")
        return path
    if text not in table_names():
        raise HwsimError(f"no energy table {text!r}{did_you_mean(text, table_names())} (a path must end in .toml)")
    return FOLDER / f"{text}.toml"


def _merged(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Return the content of a file over that of its base; ``above`` are the files that led here."""
    chain = (*above, path.resolve())
    if path.resolve() in above:
        raise ConfigError(path.name, [f"base goes in a circle: {' -> '.join(link.name for link in chain)}"])
    try:
        content = _content(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(path.name, [f"cannot be read as TOML: {error}"]) from error
    base = content.get("base")
    if base is None:
        return content
    if not isinstance(base, str):
        raise ConfigError(path.name, [f"base must be the name or path of a table, not {base!r}"])
    try:
        lower = _find(base, path.parent)
    except HwsimError as error:
        raise ConfigError(path.name, [f"base: {error}"]) from error
    return _overlay(_merged(lower, chain), content)


@lru_cache(maxsize=64)
def _content(text: str) -> dict[str, Any]:
    """Return what a file says; one text is parsed once, since a priced network asks for its table many times."""
    return tomllib.loads(text)


def _overlay(lower: dict[str, Any], upper: dict[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return ``upper`` over ``lower``: a law, a DRAM type and an override replace the one below as a whole."""
    result = dict(lower)
    for key, value in upper.items():
        below = lower.get(key)
        whole = path in (("laws",), ("dram", "types"), ("overrides",))
        if isinstance(value, dict) and isinstance(below, dict) and not whole:
            result[key] = _overlay(below, value, (*path, key))
        else:
            result[key] = value
    return result
