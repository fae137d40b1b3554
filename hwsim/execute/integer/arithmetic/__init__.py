"""The integer arithmetic of runtimes, operator by operator: one file per convention of ``hwsim.numerics.vector``.

A file provides ``OPERATORS``: operator name to a function ``(layer, operands) -> results`` like those of ``native``. It may
provide ``BOUND``: such a function to one ``(layer, operands, result) -> call or None``, see ``hwsim.execute.integer.bound``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from hwsim.errors import ExecutionError
from hwsim.numerics.vector import NATIVE


@cache
def operators(arithmetic: str) -> Mapping[str, Any]:
    """Return the operators that ``arithmetic`` computes in a way of its own."""
    if arithmetic == NATIVE:
        return {}
    table: Mapping[str, Any] = _module(arithmetic).OPERATORS
    return table


@cache
def bound_forms(arithmetic: str) -> Mapping[Any, Any]:
    """Return, by operator function, what binds those operators to arrays that ``arithmetic`` has a compiled call for."""
    return {} if arithmetic == NATIVE else getattr(_module(arithmetic), "BOUND", {})


def _module(arithmetic: str) -> ModuleType:
    name = f"{__name__}.{arithmetic}"
    if not find_spec(name):
        raise ExecutionError(f"arithmetic {arithmetic!r} has no operators in hwsim.execute.integer.arithmetic")
    return import_module(name)
