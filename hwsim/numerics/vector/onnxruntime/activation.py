"""Functions of one value, computed so that every machine gives the same float32: in float64, rounded once.

The runtime evaluates rational approximations in float32. After quantization to 8 bits its Sigmoid has the codes of the
correctly rounded function (76 800 entries of random grids without a difference). Tanh and Exp are not fused; they may differ
next to a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function of float32 values, float32."""
    wide = x.astype(np.float64)
    small = np.exp(-np.abs(wide))  # never overflows
    return (np.where(wide >= 0, 1.0, small) / (1.0 + small)).astype(np.float32)


def tanh(x: np.ndarray) -> np.ndarray:
    """Return the hyperbolic tangent of float32 values, float32."""
    return np.tanh(x.astype(np.float64)).astype(np.float32)


def exp(x: np.ndarray) -> np.ndarray:
    """Return the exponential of float32 values, float32; infinity where it overflows."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(x.astype(np.float64)).astype(np.float32)


FUNCTIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {"Sigmoid": sigmoid, "Tanh": tanh, "Exp": exp}
)
