"""The integer arithmetic of runtimes, operator by operator: one file per convention of ``hwsim.numerics.vector``.

A file provides ``OPERATORS``: operator name to a function ``(layer, operands) -> results`` like those of ``native``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from hwsim.errors import ExecutionError
from hwsim.numerics.vector import NATIVE


@cache
def operators(arithmetic: str) -> Mapping[str, Any]:
    """Return the operators that ``arithmetic`` computes in a way of its own."""
    if arithmetic == NATIVE:
        return {}
    module = f"{__name__}.{arithmetic}"
    if not find_spec(module):
        raise ExecutionError(f"arithmetic {arithmetic!r} has no operators in hwsim.execute.integer.arithmetic")
    table: Mapping[str, Any] = import_module(module).OPERATORS
    return table
