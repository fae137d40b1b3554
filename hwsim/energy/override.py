"""The ``[overrides]`` of a table file: prices fixed by a measurement or by another tool.

A key is a method of the table, alone or with its arguments: ``"multiply_pj(8, 8)" = 0.21``. A value is a number in
the unit of the method's name, or ``{ value = 0.21, source = "post-layout, run 12", status = "read" }``.
"""

from __future__ import annotations

import re

from hwsim.energy.compose import REQUANTIZE_SCHEMES, VECTOR_KINDS
from hwsim.energy.lawbook import FIXABLE
from hwsim.energy.reader import Section
from hwsim.energy.records import STATUSES, Override
from hwsim.errors import did_you_mean

_CHOICES = {"scheme": REQUANTIZE_SCHEMES, "kind": VECTOR_KINDS}
_KEY = re.compile(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*")


def read_overrides(section: Section) -> tuple[Override, ...]:
    """Return the overrides of a section; what is wrong is noted there."""
    found: dict[str, Override] = {}
    for text, value in section.content.items():
        override = _override(section, text, value)
        if override is None:
            continue
        if override.key in found:
            section.note(f"overrides.{text!r} states {override.key} twice")
        found[override.key] = override
    return tuple(found.values())


def _override(section: Section, text: str, value: object) -> Override | None:
    match = _KEY.fullmatch(text)
    method = match[1] if match else text
    if match is None or method not in FIXABLE:
        section.note(f"overrides: {text!r} names no price{did_you_mean(method, FIXABLE)}")
        return None
    names = FIXABLE[method]
    arguments = tuple(part.strip() for part in match[2].split(",")) if match[2] is not None else ()
    wrong = [
        argument
        for name, argument in zip(names, arguments, strict=False)
        if not (argument in _CHOICES[name] if name in _CHOICES else re.fullmatch("[1-9][0-9]*", argument))
    ]
    if arguments and (len(arguments) != len(names) or wrong):
        section.note(
            f"overrides: {text!r} must be {method} or {method}({', '.join(names)}), with positive integers "
            "for widths and sizes and a known scheme or kind"
        )
        return None
    stated = value if isinstance(value, dict) else {"value": value}
    entry = Section(f"overrides.{text!r}", stated, section.problems)
    entry.only(("value", "source", "status"))
    return Override(
        method=method,
        arguments=arguments,
        value=entry.number("value", low=0.0),
        source=entry.text("source", default="stated in the table without a source"),
        status=entry.text("status", default="stated", options=STATUSES),
    )
