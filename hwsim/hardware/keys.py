"""Which keys a file may have, and what each may hold: read off the records, for error messages and overrides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from hwsim.errors import did_you_mean

Node = dict[str, Any]


def _clean(node: Any) -> Any:
    """Drop what TOML cannot say (null) and generated titles; unwrap unions that are left with one branch."""
    if isinstance(node, list):
        return [_clean(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: value for key, value in node.items() if key != "title"}
    if node.get("default") is None or isinstance(node["default"], dict):
        node.pop("default", None)
    branches = [branch for branch in node.pop("anyOf", []) if branch != {"type": "null"}]
    if len(branches) == 1:
        node = {**branches[0], **node}
    elif branches:
        node["anyOf"] = branches
    if "description" in node:
        node["description"] = node["description"].split("\n\n")[0]
    properties = {name: _clean(child) for name, child in node.pop("properties", {}).items()}
    cleaned = {key: _clean(value) for key, value in node.items()}
    return {**cleaned, "properties": properties} if properties else cleaned


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace every reference by what it refers to, so that the loader can walk the schema by key."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = {**definitions[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
    return {key: _inline(value, definitions) for key, value in node.items()}


@cache
def keys(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of ``model`` without references: what may stand in a resolved file."""
    schema = model.model_json_schema(mode="validation")
    return _clean(_inline(schema, schema.pop("$defs", {})))


def table_of(node: Node) -> Node:
    """Return the branch of ``node`` that is a table (a key may also accept a text), else ``node``."""
    return next((branch for branch in node.get("anyOf", []) if "properties" in branch), node)


def children(node: Node) -> tuple[str, ...]:
    """Return the keys of the table that ``node`` describes."""
    return tuple(table_of(node).get("properties", {}))


def find(model: type[BaseModel], path: Sequence[str | int]) -> Node | None:
    """Return what may stand at ``path`` (keys, and indices of lists), or None where nothing may."""
    node: Node | None = keys(model)
    for step in path:
        if node is None:
            return None
        node = node.get("items") if isinstance(step, int) else table_of(node).get("properties", {}).get(step)
    return node


def naming_key(node: Node) -> str | None:
    """Return the key that names an item of a list of tables: ``name`` (memory) or ``match`` (layer)."""
    return next((key for key in ("name", "match") if key in children(node.get("items", {}))), None)


def unknown(model: type[BaseModel], path: Sequence[str | int]) -> str:
    """Say that there is no key at ``path``, and which was meant: one with its unit, one of another table, a similar one."""
    options, name = children(find(model, path[:-1]) or {}), str(path[-1])
    longer = [option for option in options if option.startswith(f"{name}_")]
    elsewhere = [f"{key}.{name}" for key in children(keys(model)) if name in children(find(model, (key,)) or {})]
    if longer:
        hint = f"; did you mean {longer[0]!r}?"
    elif len(path) == 1 and elsewhere:
        hint = f"; did you mean {elsewhere[0]!r}?"
    else:
        hint = did_you_mean(name, options)
    return f"{dotted(path)} is not a known key{hint}"


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as a person does.

    >>> dotted(("memory", 2, "size_bytes"))
    'memory[2].size_bytes'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


_PHRASES = {
    "string": "a text",
    "boolean": "true or false",
    "object": "a table",
    "array": "a list",
    "number": "a number",
}


def phrase(node: Node) -> str:
    """Say in English what ``node`` accepts.

    >>> phrase({"type": "integer", "exclusiveMinimum": 0}), phrase({"type": "integer", "minimum": 2, "maximum": 32})
    ('a positive integer', 'an integer from 2 to 32')
    """
    if "anyOf" in node:
        return " or ".join(phrase(branch) for branch in node["anyOf"])
    if "const" in node:
        return repr(node["const"])
    if "enum" in node:
        return f"one of {', '.join(node['enum'])}"
    kind = node.get("type", "")
    if kind in ("integer", "number") and node.get("exclusiveMinimum") == 0:
        return f"a positive {kind}"
    if kind == "integer":
        low, high = node.get("minimum"), node.get("maximum")
        return f"an integer from {low} to {high}" if high is not None else f"an integer not below {low}"
    if kind == "array":
        return "a list of tables" if children(node.get("items", {})) else "a list"
    if node.get("minLength"):
        return "a text that is not empty"
    return _PHRASES.get(kind, "something else")
