"""Values as CSV and JSON hold them."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

Json = Any


def plain(value: Any) -> Json:
    """Return ``value`` as JSON data: numpy scalars as numbers, records as objects, infinity and NaN as text.

    JSON has no infinity; ``"inf"`` is what the CSV holds and what ``float`` reads.

    >>> plain({"sqnr_db": float("inf"), "shape": (1, 2), 3: None})
    {'sqnr_db': 'inf', 'shape': [1, 2], '3': None}
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)


def to_json(value: Any) -> str:
    """Return ``value`` as indented JSON text that every reader accepts."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def cell(value: Any) -> str:
    """Return one CSV field: None is empty, a float is its ``repr``, nothing is rounded.

    >>> cell(None), cell(0.1), cell(12), cell(float("inf"))
    ('', '0.1', '12', 'inf')
    """
    simple = plain(value)
    if simple is None:
        return ""
    return simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False)
