"""Errors of hwsim: each says where, the rule, the offending value and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class HwsimError(Exception):
    """Something the user can mend: the command line prints it as one paragraph and exits with code 2."""


class GraphError(HwsimError):
    """The network is broken, or uses something hwsim does not model."""


class ConfigError(HwsimError):
    """A machine, precision or sweep description is invalid; lists every problem found."""

    def __init__(self, where: str, problems: Iterable[str]):
        self.where = where
        self.problems = tuple(problems)
        lines = [f"{where}: {problem}" for problem in self.problems]
        super().__init__("\n".join(lines))


class MappingError(HwsimError):
    """A layer cannot be mapped on the machine, for example because no tile fits a buffer."""


class ExecutionError(HwsimError):
    """The integers of a layer cannot be computed as described."""


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest option, else the list of options.

    >>> did_you_mean("colums", ["rows", "columns"])
    "; did you mean 'columns'?"
    >>> did_you_mean("q", ["rows", "columns"])
    '; known: columns, rows'
    """
    known = sorted({str(option) for option in options})
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}"


def some_of(names: Sequence[str], shown: int = 3) -> str:
    """Return the first names, and how many there are besides.

    >>> some_of(["a", "b", "c"]), some_of(["a", "b", "c", "d", "e"])
    ('a, b, c', 'a, b, c and 2 more')
    """
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest
