"""How vector units and runtimes compute in integers what is no matrix product: one folder per convention.

``native`` is hwsim's own: exact sums of centred codes, then the machine's requantizer; float32 on decoded codes where an
operator has no integer form. The others give the integers of the runtime that they are named after; where one has no rule
for an operator, ``native`` holds. ``hwsim.execute.integer.arithmetic`` applies them, under the same names.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

NATIVE = "native"


@cache
def names() -> tuple[str, ...]:
    """Return the conventions, sorted: ``native`` and those of this folder that do not start with an underscore.

    >>> "native" in names()
    True
    """
    found = {entry.name for entry in iter_modules(__path__) if not entry.name.startswith("_")}
    return tuple(sorted({NATIVE, *found}))


@cache
def operators(arithmetic: str) -> frozenset[str]:
    """Return the operators that a convention computes in a way of its own (``OPERATORS`` of its folder).

    >>> operators("native"), "Softmax" in operators("ibert")
    (frozenset(), True)
    """
    if arithmetic == NATIVE:
        return frozenset()
    found: frozenset[str] = import_module(f"{__name__}.{arithmetic}").OPERATORS
    return found
