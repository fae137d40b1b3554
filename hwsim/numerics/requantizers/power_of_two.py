"""A shift and nothing else: ``y = clamp(rounding_shift(acc, s) + z)``, for scales that are exact powers of two.

VTA's ALU followed by MIN and MAX (``floor``; ``vta_shift`` without them), Gemmini's ``ROUNDING_RIGHT_SHIFT`` and the shift
of its systolic array (``half_even``). ``ap_fixed`` is this with the names, defaults and overflow modes of C++.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite
from hwsim.numerics.rounding import Rounding

LIKE = "fixed_point"
KEYS = {"rounding": Rounding.HALF_UP, "overflow": CodeOverflow.SATURATE}

WIDEST_ALIGNMENT = 62


def exponents(real: np.ndarray) -> np.ndarray:
    """Return ``log2(real)`` as int64 ``[n]``; raise HwsimError where it is not an integer.

    >>> exponents(np.array([4.0, 0.125]))
    array([ 2, -3])
    """
    values = finite(real)
    fraction, exponent = np.frexp(values)
    wrong = fraction != 0.5
    if wrong.any():
        channel = int(np.argmax(wrong))
        value = float(values[channel])
        if value < 0:
            raise HwsimError(
                f"requantizer: power_of_two cannot negate, but channel {channel} has the scale {value}; "
                "use fixed_point, or a positive scale"
            )
        nearest = int(np.rint(np.log2(value)))
        percent = 100 * (value / 2.0**nearest - 1)
        raise HwsimError(
            f"requantizer: power_of_two needs scales that are powers of two, but channel {channel} has {value:.6g}, "
            f"{percent:+.2g} % from the nearest, 2^{nearest}; quantize with power-of-two scales"
        )
    return exponent.astype(np.int64) - 1


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return multiplier 1 and ``shift = -log2(real_scale)`` for float64 ``[n]``.

    Raises:
        HwsimError: a scale that is not exactly a power of two, naming the nearest one.
    """
    shift = -exponents(real_scale)
    return Constants(multiplier=np.ones_like(shift), shift=shift)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return the left shifts that align the inputs on the finest grid, as multipliers, and the one rounding shift.

    Args:
        real_ratios: float64 ``[inputs]``: scale of the input over scale of the output, powers of two.
        unit: the requantizer.

    Raises:
        HwsimError: a ratio that is no power of two, or ratios more than 2^62 apart.

    >>> made = sum_constants(np.array([0.25, 1.0]), Requantizer(scheme="power_of_two"))
    >>> made.multiplier, made.shift
    (array([1, 4]), 2)
    """
    exponent = exponents(real_ratios)
    finest = int(exponent.min())
    if int(exponent.max()) - finest > WIDEST_ALIGNMENT:
        raise HwsimError(
            f"requantizer: the ratios {np.asarray(real_ratios).tolist()} of a sum are more than 2^{WIDEST_ALIGNMENT} "
            "apart; quantize the inputs on closer scales"
        )
    return SumConstants(multiplier=np.left_shift(np.int64(1), exponent - finest), shift=-finest)
