"""Requantizer schemes: one file each, imported by name; every file is a definition on unbounded integers.

A file provides ``KEYS`` (the keys of ``Requantizer`` that it reads, with their defaults), ``real_scale``, ``constants``,
``requantize_one``, ``sum_constants`` and ``rescale_sum_one``; see ``fixed_point`` for a commented example. It may provide
``check`` (refuse a record), ``check_zero_point`` (refuse a zero point with some constants), ``resolved`` (choose another scheme
by the widths of a layer), ``LAYER_SCALES`` (the real scale of layers for which the runtime rounds it in another way) and
``CLAMPS_FIRST`` (a fused clamp comes before overflow). ``LIKE`` names another scheme, which gives what the file does not. A new
file is a new scheme: nothing else needs to be told but its price. Until it has a kernel, ``hwsim.kernels.requantize`` runs its
definition, slowly and exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import numpy as np

from hwsim.errors import HwsimError, did_you_mean


@cache
def names() -> tuple[str, ...]:
    """Return the schemes, sorted: the files of this folder that do not start with an underscore.

    >>> {"fixed_point", "float32", "power_of_two"} <= set(names())
    True
    """
    return tuple(sorted(entry.name for entry in iter_modules(__path__) if not entry.name.startswith("_")))


@dataclass(frozen=True, slots=True)
class Definition:
    """A scheme: the names of its file, and those of the scheme that it is like.

    Args:
        module: the file.
        like: the scheme that ``LIKE`` names, None without one.
    """

    module: ModuleType
    like: Definition | None

    def __getattr__(self, name: str) -> Any:
        if self.like is None or hasattr(self.module, name):
            return getattr(self.module, name)
        return getattr(self.like, name)


@cache
def definition(scheme: str) -> Definition:
    """Return what defines ``scheme``; raise HwsimError for a name without a file.

    >>> definition("ap_fixed").requantize_one is definition("fixed_point").requantize_one
    True
    """
    if scheme not in names():
        raise HwsimError(f"requantizer: scheme {scheme!r} is unknown{did_you_mean(scheme, names())}")
    module = import_module(f"{__name__}.{scheme}")
    like = getattr(module, "LIKE", None)
    return Definition(module, definition(like) if like else None)


def layer_scale(scheme: str, layer: str, first: float, others: np.ndarray, output: float) -> np.ndarray:
    """Return ``first * others / output`` as the runtime of ``scheme`` rounds it for a kind of layer.

    Args:
        scheme: a file of this folder.
        layer: ``convolution``, ``fully_connected``, ``matmul`` (of two activations) or ``product`` (elementwise).
        first: scale of the first operand.
        others: scales of the second operand, ``[n]`` or ``[1]``.
        output: scale of the result.

    Returns:
        float64 ``[n]`` or ``[1]``.
    """
    module = definition(scheme)
    rules = getattr(module, "LAYER_SCALES", {})
    scale: np.ndarray = rules.get(layer, module.real_scale)(first, others, output)
    return scale
