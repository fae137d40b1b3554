"""Reading machine and precision files: presets by name, inheritance, TOML errors with their line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeGuard

from hwsim.errors import ConfigError, did_you_mean
from hwsim.hardware.known import is_path

NOT_INHERITED = ("name", "description")
LISTS_BY_NAME = ("memory",)
LISTS_APPENDED = ("layer",)


def preset_names() -> tuple[str, ...]:
    """Return the names of the bundled machines, sorted."""
    names = [entry.name for entry in _presets().iterdir()]
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def _presets() -> Traversable:
    return files("hwsim.hardware") / "presets"


def read_toml(path: Traversable, where: str) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Args:
        path: the file.
        where: its name in messages.

    Raises:
        ConfigError: no such file, not text, or not TOML (with line and column).
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(where, ["no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(where, [f"the file cannot be read: {reason}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(where, [f"the file is not valid TOML: {error}"]) from None


def read_machine(name_or_path: str | Path) -> dict[str, Any]:
    """Return the tables of a preset or a machine file, everything that it extends merged in.

    Raises:
        ConfigError: an unknown preset, a missing or broken file, or a cycle of ``extends``.
    """
    return _read_extended(str(name_or_path), folder=None, chain=())


def _find(name: str, folder: Path | None, chain: tuple[str, ...]) -> tuple[Traversable, Path | None, str]:
    """Return the file that ``name`` means, its folder (None for a preset) and what tells it from other files."""
    if is_path(name):
        path = (folder or Path()) / name
        return path, path.parent, str(path.resolve())
    if name not in preset_names():
        raise ConfigError(
            chain[-1] if chain else name,
            [
                f"{f'extends {name!r}: there is no such preset' if chain else 'there is no preset of this name'}"
                f"{did_you_mean(name, preset_names())} (a file is given as a path that ends in .toml)"
            ],
        )
    return _presets() / f"{name}.toml", None, name


def _read_extended(
    name: str, folder: Path | None, chain: tuple[str, ...], seen: tuple[str, ...] = ()
) -> dict[str, Any]:
    path, folder, identity = _find(name, folder, chain)
    chain = (*chain, name)
    if identity in seen:
        raise ConfigError(chain[0], [f"extends forms a cycle: {' -> '.join(chain)}"])
    data = read_toml(path, name if len(chain) == 1 else f"{chain[-2]}: extends {name!r}")
    table = data.get("energy_table")
    if isinstance(table, str) and is_path(table) and folder is not None:
        data["energy_table"] = str(folder / table)
    base = data.pop("extends", None)
    if base is None:
        return data
    if not isinstance(base, str):
        raise ConfigError(name, [f"extends must be the name of a preset or a path, not {base!r}"])
    if "name" not in data and is_path(name):
        data["name"] = Path(name).stem
    inherited = _read_extended(base, folder, chain, (*seen, identity))
    return merge({key: value for key, value in inherited.items() if key not in NOT_INHERITED}, data)


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``changes``: tables key by key, memories by name, layer rules appended, the rest replaced.

    >>> merge({"array": {"rows": 16, "columns": 16}}, {"array": {"rows": 32}})
    {'array': {'rows': 32, 'columns': 16}}
    """
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merge(old, value)
        elif key in LISTS_BY_NAME and _tables(old) and _tables(value):
            result[key] = _merge_by_name(old, value)
        elif key in LISTS_APPENDED and _tables(old) and _tables(value):
            result[key] = [*old, *value]
        else:
            result[key] = value
    return result


def _tables(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _merge_by_name(base: list[dict[str, Any]], changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge items of the same name; new ones follow (two new ones of one name both stay, to be reported)."""
    result = [dict(item) for item in base]
    places = {item.get("name"): index for index, item in enumerate(base)}
    for item in changes:
        if item.get("name") in places:
            index = places[item.get("name")]
            result[index] = merge(result[index], item)
        else:
            result.append(dict(item))
    return result
