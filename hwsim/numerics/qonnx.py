"""QONNX's names and its arithmetic in floating point, as ``qonnx.custom_op.general.intquant`` computes it.

Two of its names mean something else than they say: ``UP`` is away from zero, ``HALF_UP`` rounds ties away from zero. Its
functions work in the type of the data, and ``floor(|x| + 0.5)`` rounds its sum to that type: 0.49999997 becomes 1, and so do
odd numbers from 2^23 become the next one in float32. ``round_as_qonnx`` keeps that.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.rounding import Rounding, round_real

ROUNDINGS: Mapping[str, Rounding] = MappingProxyType(
    {
        "ROUND": Rounding.HALF_EVEN,
        "HALF_EVEN": Rounding.HALF_EVEN,
        "CEIL": Rounding.CEIL,
        "FLOOR": Rounding.FLOOR,
        "UP": Rounding.AWAY,
        "DOWN": Rounding.TO_ZERO,
        "HALF_UP": Rounding.HALF_AWAY,
        "HALF_DOWN": Rounding.HALF_TO_ZERO,
    }
)


def rounding_of(name: str) -> Rounding:
    """Return our name of a QONNX ``rounding_mode``, in upper or lower case; raise HwsimError for an unknown one.

    >>> rounding_of("ROUND").value, rounding_of("half_up").value
    ('half_even', 'half_away')
    """
    if name.upper() not in ROUNDINGS:
        raise HwsimError(f"qonnx: rounding_mode {name!r} is unknown{did_you_mean(name.upper(), ROUNDINGS)}")
    return ROUNDINGS[name.upper()]


def name_of(rounding: Rounding) -> str:
    """Return the QONNX ``rounding_mode`` of our name; raise HwsimError for ``half_up`` and ``half_down``, which it lacks."""
    for name, ours in ROUNDINGS.items():
        if ours is rounding:
            return name
    raise HwsimError(
        f"qonnx: no rounding_mode rounds as {rounding}; use one of {', '.join(sorted(set(ROUNDINGS.values())))}"
    )


def round_as_qonnx(real: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Return ``real`` rounded in its own floating type by the expressions of ``resolve_rounding_mode``.

    >>> round_as_qonnx(np.float32([0.49999997, -0.5, 8388609]), Rounding.HALF_AWAY).tolist()
    [1.0, -1.0, 8388610.0]
    """
    half = real.dtype.type(0.5)
    if rounding is Rounding.HALF_AWAY:
        return np.sign(real) * np.floor(np.abs(real) + half)
    if rounding is Rounding.HALF_TO_ZERO:
        return np.sign(real) * np.ceil(np.abs(real) - half)
    return round_real(real, rounding)
