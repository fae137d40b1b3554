"""Integers and registers of a layer as arrays of golden vectors."""

from __future__ import annotations

import numpy as np

from hwsim.interchange.vectors.vector import Vector
from hwsim.simulation.vectors.widths import at_least

COUNT = (32, False)  # bits and sign of a number that counts something


def vector(name: str, values: np.ndarray, width: tuple[int, bool], axes: tuple[str, ...], about: str) -> Vector:
    """Return ``values`` in words of ``width`` (bits, signed)."""
    return Vector(name=name, values=values, bits=width[0], signed=width[1], axes=axes, about=about)


def register(
    name: str, values: np.ndarray, bits: int, axes: tuple[str, ...], about: str, *, signed: bool = True
) -> Vector:
    """Return ``values`` at ``bits``, or where they have a sign at what they need if that is more; reals at their own width."""
    if not signed:
        return vector(name, values, (bits, False), axes, about)
    return vector(name, values, (at_least(bits, values), True), axes, about)
