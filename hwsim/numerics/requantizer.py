"""The record of a requantization unit: which arithmetic turns an accumulator into an output code."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import HwsimError
from hwsim.numerics.rounding import Rounding

SHIFT_ONLY = ("power_of_two", "vta_shift")  # schemes without a multiplier: scales must be powers of two


@dataclass(frozen=True, slots=True, kw_only=True)
class Requantizer:
    """A requantization unit.

    Args:
        scheme: a file of ``hwsim.numerics.requantizers``: ``float32``, ``fixed_point``, ``power_of_two``, ...
        multiplier_bits: width of the signed integer multiplier (``fixed_point`` only), 2..32.
        rounding: rounding of the shift (``float32`` always rounds half to even).
    """

    scheme: str = "fixed_point"
    multiplier_bits: int = 32
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        if not 2 <= self.multiplier_bits <= 32:
            raise HwsimError(f"requantizer: multiplier_bits must be 2..32, not {self.multiplier_bits}")

    def __str__(self) -> str:
        if self.scheme == "fixed_point":
            return f"fixed_point:{self.multiplier_bits}:{self.rounding}"
        return "float32" if self.scheme == "float32" else f"{self.scheme}:{self.rounding}"
