"""Exact integers through the whole graph, on the machine's datapath. What computes is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.execute.integer.executable import check_executable
    from hwsim.execute.integer.layer import Counters, Layer
    from hwsim.execute.integer.run import run_integer

_HOMES = {"Counters": "layer", "Layer": "layer", "check_executable": "executable", "run_integer": "run"}

__all__ = ["Counters", "Layer", "check_executable", "run_integer"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
