"""JSON schemas of machine and precision files, with which editors complete and check.

``python -m hwsim.hardware.schema`` rewrites the committed files; a test holds them up to date.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.keys import keys
from hwsim.hardware.precision import PrecisionPlan

EXTENDS = {
    "type": "string",
    "description": "Preset, or path relative to this file, whose keys this file starts from: tables are merged, "
    "[[memory]] by name, [[layer]] rules are appended; name and description are not inherited.",
}
_TITLES: dict[type[BaseModel], str] = {Accelerator: "hwsim machine", PrecisionPlan: "hwsim precision plan"}
_FILES: dict[type[BaseModel], str] = {Accelerator: "accelerator.schema.json", PrecisionPlan: "precision.schema.json"}


def _split_required(node: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Separate which keys are required from ``node``, except the key that names an item of a list."""
    node = dict(node)
    needed: dict[str, Any] = {"required": node.pop("required")} if "required" in node else {}
    inner = {}
    for key, child in node.get("properties", {}).items():
        item = child.get("items", {}) if child.get("type") == "array" else child
        if item.get("type") != "object":
            continue
        plain, child_needed = _split_required(item)
        if child.get("type") == "array":
            plain["required"] = [name for name in ("name", "match") if name in plain["properties"]]
            child_needed = {"items": child_needed}
            node["properties"] = {**node["properties"], key: {**child, "items": plain}}
        else:
            node["properties"] = {**node["properties"], key: {**child, **plain}}
            node["properties"][key].pop("required", None)
        if child_needed not in ({}, {"items": {}}):
            inner[key] = child_needed
    return node, {**needed, **({"properties": inner} if inner else {})}


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of files of ``model`` (``Accelerator`` or ``PrecisionPlan``)."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": _TITLES[model]}
    if model is not Accelerator:
        return {**head, **keys(model)}
    body, needed = _split_required(keys(model))
    body["properties"] = {"extends": EXTENDS, **body["properties"]}
    return {**head, **body, "required": ["name"], "if": {"required": ["extends"]}, "then": {}, "else": needed}


def schema_text(model: type[BaseModel]) -> str:
    """Return the schema as the committed file holds it."""
    return json.dumps(json_schema(model), indent=2, ensure_ascii=False) + "\n"


def committed_text(model: type[BaseModel]) -> str:
    """Return the committed schema file."""
    return (files("hwsim.hardware") / _FILES[model]).read_text(encoding="utf-8")


if __name__ == "__main__":
    for written in _FILES:
        (Path(__file__).parent / _FILES[written]).write_text(schema_text(written), encoding="utf-8")
