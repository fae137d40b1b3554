"""How vector units and runtimes compute in integers what is no matrix product: one folder per convention.

``native`` is hwsim's own: exact sums of centred codes, then the machine's requantizer; float32 on decoded codes where an
operator has no integer form. The others give the integers of the runtime that they are named after; where one has no rule
for an operator, ``native`` holds. ``hwsim.execute.integer.arithmetic`` applies them, under the same names.
"""

from __future__ import annotations

from functools import cache
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
