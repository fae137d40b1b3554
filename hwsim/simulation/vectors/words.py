"""Integers and registers of a layer as arrays of golden vectors."""

from __future__ import annotations

import numpy as np

from hwsim.interchange.vectors.vector import Vector
from hwsim.simulation.vectors.widths import at_least

COUNT = (32, False)  # bits and sign of a number that counts something


def vector(name: str, values: np.ndarray, width: tuple[int, bool], axes: tuple[str, ...], about: str) -> Vector:
    """Return ``values`` in words of ``width`` (bits, signed)."""
    return Vector(name=name, values=values, bits=width[0], signed=width[1], axes=axes, about=about)


def register(name: str, values: np.ndarray, bits: int, axes: tuple[str, ...], about: str) -> Vector:
    """Return signed ``values`` at ``bits``, or at what they need where that is more; real numbers at their own width."""
    return vector(name, values, (at_least(bits, values), True), axes, about)
