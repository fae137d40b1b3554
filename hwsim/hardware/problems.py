"""Problems of a file in plain English: path of the key, rule, offending value, way out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hwsim.errors import ConfigError, did_you_mean
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.hierarchy import Place, home_problems
from hwsim.hardware.keys import Node, dotted, find, phrase, unknown

Model = TypeVar("Model", bound=BaseModel)


def shown(value: Any) -> str:
    """Write an offending value as it stands in a TOML file.

    >>> shown(True), shown("x"), shown({"a": 1}), shown([1])
    ('true', "'x'", 'a table', 'a list')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return repr(value) if isinstance(value, str | int | float) else str(value)


def _rule(node: Node, value: Any) -> str:
    """The predicate of a key that holds ``value`` but may not."""
    if "enum" in node and isinstance(value, str):
        hint = did_you_mean(value, node["enum"])
        if "did you mean" in hint:
            return f"{shown(value)} is unknown{hint}"
    return f"must be {phrase(node)}, not {shown(value)}"


def _sentences(model: type[BaseModel], error: Mapping[str, Any]) -> list[str]:
    """What one error of pydantic means."""
    path: tuple[str | int, ...] = tuple(error["loc"])
    where = dotted(path)
    if error["type"] == "extra_forbidden":
        return [unknown(model, path)]
    node = find(model, path) or {}
    if error["type"] == "missing":
        return [f"{where} is missing; it must be {phrase(node)}"]
    if error["type"] == "value_error":
        return [f"{where} {line}".strip() for line in str(error["ctx"]["error"]).split("\n")]
    return [f"{where} {_rule(node, error['input'])}"]


def _homes_despite(data: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Problems between memories, which pydantic leaves out as soon as any key of the file is wrong."""
    if not errors or any(not error["loc"] or error["loc"][0] == "memory" for error in errors):
        return []
    return home_problems([Place(level["name"], level["holds"], level.get("level", 1)) for level in data["memory"]])


def validate(
    model: type[Model], data: Mapping[str, Any], where: str, origins: Mapping[str, str] | None = None
) -> Model:
    """Return the record that ``data`` describes.

    Args:
        model: ``Accelerator`` or ``PrecisionPlan``.
        data: the parsed file.
        where: its name in messages.
        origins: dotted key to the override that set it, which is added to a message about the key.

    Raises:
        ConfigError: lists every problem.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors: Sequence[Mapping[str, Any]] = error.errors()
    problems = [sentence for each in errors for sentence in _sentences(model, each)]
    if model is Accelerator:
        problems += _homes_despite(data, errors)
    raise ConfigError(where, [_with_origin(problem, origins or {}) for problem in problems])


def _with_origin(problem: str, origins: Mapping[str, str]) -> str:
    """Add which override a problem comes from."""
    for key, text in origins.items():
        if re.match(re.escape(key) + r"[ .\[]", problem):
            return f"{problem} (override {text!r})"
    return problem
