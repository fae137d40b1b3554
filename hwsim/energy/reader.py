"""A section of a table file, read key by key: each complaint is noted, and reading goes on to find the next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hwsim.energy.records import choice_problem
from hwsim.errors import did_you_mean


class Section:
    """One TOML table and its path; ``problems`` is shared by all sections of the file."""

    def __init__(self, path: str, content: object, problems: list[str], *, absent: bool = False) -> None:
        self.path = path
        self.problems = problems
        self.absent = absent
        self.content: Mapping[str, Any] = content if isinstance(content, dict) else {}
        if not isinstance(content, dict):
            problems.append(f"{path or 'the file'} must be a table, not {content!r}")

    def at(self, key: str) -> str:
        """Return the full path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def section(self, key: str) -> Section:
        """Return a section below; an absent one is one problem, and its keys are not complained of again."""
        absent = key not in self.content
        if absent:
            self.note(f"section [{self.at(key)}] is missing")
        return Section(self.at(key), self.content.get(key, {}), self.problems, absent=absent)

    def note(self, problem: str) -> None:
        """Add a problem, unless the whole section is missing."""
        if not self.absent:
            self.problems.append(problem)

    def only(self, keys: Iterable[str]) -> None:
        """Note every key that is not known here."""
        known = list(keys)
        for key in self.content:
            if key not in known:
                self.note(f"unknown key {self.at(key)}{did_you_mean(key, known)}")

    def number(
        self, key: str, *, default: float | None = None, low: float = -math.inf, high: float = math.inf
    ) -> float:
        """Return a finite number in ``low..high``."""
        if key not in self.content:
            if default is None:
                self.note(f"{self.at(key)} is missing; it must be a number")
            return default if default is not None else math.nan
        return self.as_number(self.at(key), self.content[key], low=low, high=high)

    def as_number(self, path: str, value: object, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return ``value`` as a finite number in ``low..high``; what is wrong with it is noted under ``path``."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.note(f"{path} must be a finite number, not {value!r}")
            return math.nan
        if not low <= value <= high:
            bounds = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
            self.note(f"{path} must be {bounds}, not {value!r}")
        return float(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of two or more positive numbers."""
        values = self.content.get(key)
        if not isinstance(values, list) or len(values) < 2:
            self.note(f"{self.at(key)} must be a list of at least two numbers, not {values!r}")
            return ()
        return tuple(self.as_number(f"{self.at(key)}[{i}]", value, low=1e-9) for i, value in enumerate(values))

    def text(self, key: str, *, default: str | None = None, options: Iterable[str] | None = None) -> str:
        """Return a non-empty text, one of ``options`` where given."""
        value = self.content.get(key, default)
        if not isinstance(value, str) or not value:
            wrong = f"must be a text, not {value!r}" if key in self.content else "is missing; it must be a text"
            self.note(f"{self.at(key)} {wrong}")
            return ""
        problem = None if options is None else choice_problem(self.at(key), value, options)
        if problem:
            self.note(problem)
        return value
