"""Overrides such as ``array.rows=32``: one key of a file, changed from outside."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from hwsim.errors import ConfigError, did_you_mean
from hwsim.hardware.keys import children, dotted, find, naming_key, unknown
from hwsim.hardware.requantizer import read_requantizer


def apply_overrides(
    model: type[BaseModel], data: dict[str, Any], overrides: Sequence[str], where: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return ``data`` with ``key.key=value`` texts applied in order, and which override set which dotted key.

    A value is read as a TOML value, else as text. A memory is addressed by its name (``memory.weights.size_bytes``), a
    layer rule by its pattern (``layer."block1.*".psum``; a pattern without a rule starts one).

    Raises:
        ConfigError: lists every override that has no value or whose key does not exist.
    """
    result, origins, problems = _copy(data), {}, []
    for text in overrides:
        try:
            origins[dotted(_apply(model, result, text))] = text
        except ValueError as error:
            problems.append(f"override {text!r}: {error}")
    if problems:
        raise ConfigError(where, problems)
    return result, origins


def _copy(value: Any) -> Any:
    """Copy tables and lists, so that a caller's data stays as it is."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _read_value(text: str) -> Any:
    """Read a TOML value, or leave the text as it is.

    >>> _read_value("32"), _read_value("int16:saturate"), _read_value("['psum']")
    (32, 'int16:saturate', ['psum'])
    """
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _read_key(text: str) -> list[str]:
    """Split a dotted TOML key; parts with dots or stars are quoted."""
    try:
        node: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        raise ValueError("the key must be dotted names, as in array.rows=32; quote a name with other signs") from None
    steps = []
    while isinstance(node, dict):
        ((step, node),) = node.items()
        steps.append(step)
    return steps


def _split(text: str) -> tuple[str, str]:
    """Split at the first ``=`` outside quotes."""
    quote = ""
    for position, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "=" and text[:position].strip() and text[position + 1 :].strip():
            return text[:position].strip(), text[position + 1 :].strip()
    raise ValueError("write key=value, as in array.rows=32")


def _apply(model: type[BaseModel], data: dict[str, Any], text: str) -> list[str | int]:
    """Set one key of ``data`` in place and return its path; raise ValueError where there is no such key."""
    key, value = _split(text)
    steps = _read_key(key)
    target: Any = data
    path: list[str | int] = []
    while len(steps) > 1:
        step = _known(model, path, steps.pop(0))
        path.append(step)
        node = find(model, path) or {}
        name = naming_key(node)
        if name:
            target = target.setdefault(step, [])
            path.append(_item(target, name, steps.pop(0), step))
            target = target[path[-1]]
            if not steps:
                raise ValueError(f"name one key of it, such as {key}.{children(node['items'])[1]}=...")
        else:
            if not children(node):
                raise ValueError(f"{dotted(path)} has no keys inside")
            if not isinstance(target.get(step), dict):
                target[step] = _as_table(target.get(step), dotted([*path, *steps]))
            target = target[step]
    path.append(_known(model, path, steps[0]))
    target[path[-1]] = _read_value(value)
    return path


def _as_table(value: Any, key: str) -> dict[str, Any]:
    """Make room for a key inside a table that is absent or written as a text."""
    if value is None:
        return {}
    table = read_requantizer(value) if isinstance(value, str) else value
    if not isinstance(table, dict):
        raise ValueError(f"{key} cannot be set inside {value!r}, which should be a table")
    return table


def _known(model: type[BaseModel], path: Sequence[str | int], step: str) -> str:
    """Return ``step`` if it is a key at ``path``."""
    if step not in children(find(model, path) or {}):
        raise ValueError(unknown(model, [*path, step]))
    return step


def _item(items: list[dict[str, Any]], name: str, wanted: str, key: str) -> int:
    """Return the index of the item of a list that is called ``wanted``; start a layer rule that is not there."""
    names = [item.get(name) for item in items]
    if wanted in names:
        return names.index(wanted)
    if name == "match":
        items.append({"match": wanted})
        return len(items) - 1
    raise ValueError(f"no {key} is called {wanted!r}{did_you_mean(wanted, [str(known) for known in names])}")
