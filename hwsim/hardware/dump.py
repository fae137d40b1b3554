"""A machine or a precision plan back into TOML, so that a run can be repeated from the file beside its report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.precision import PrecisionPlan


def dump_toml(record: Accelerator | PrecisionPlan) -> str:
    """Return the file that loads as an equal record: every key stated, nothing inherited."""
    return "\n".join(_table(record.model_dump(mode="json"), ())) + "\n"


def toml_value(value: Any) -> str:
    """Write one TOML value; JSON's strings, numbers and booleans are TOML's, except for the DEL character.

    >>> toml_value({"m": 4, "order": ["mnk", True]})
    '{m = 4, order = ["mnk", true]}'
    """
    if isinstance(value, list):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {toml_value(item)}' for key, item in value.items())}}}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: plain keys first, then tables, then lists of tables."""
    for key, value in table.items():
        if value is not None and not isinstance(value, dict) and not _is_tables(value):
            yield f"{key} = {toml_value(value)}"
    for key, value in table.items():
        inner = (*path, key)
        if isinstance(value, dict):
            yield from ("", f"[{'.'.join(inner)}]")
            yield from _table(value, inner)
        elif _is_tables(value):
            for item in value:
                yield from ("", f"[[{'.'.join(inner)}]]")
                yield from _table(item, inner)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
