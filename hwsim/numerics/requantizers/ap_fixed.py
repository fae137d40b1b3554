"""A cast of ap_fixed (hls4ml, Vitis HLS): ``y = overflow(round(acc / 2^s) + z)``, for scales that are powers of two.

``rounding`` and ``overflow`` are the quantization and overflow modes by our names: AP_TRN and AP_WRAP, C++'s defaults, are
``floor`` and ``wrap``. ``saturated_bits`` is the N of AP_WRAP and AP_WRAP_SM. Source: AMD UG1399, "Arbitrary Precision
Fixed-Point Data Types", and ``ap_fixed_base.h`` of the public ap_types headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hwsim.errors import HwsimError
from hwsim.numerics.code_overflow import WRAPS, CodeOverflow
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.rounding import Rounding

LIKE = "power_of_two"
KEYS = {"rounding": Rounding.FLOOR, "overflow": CodeOverflow.WRAP, "saturated_bits": 0}

ROUNDINGS: Mapping[str, Rounding] = MappingProxyType(
    {
        "AP_TRN": Rounding.FLOOR,
        "AP_TRN_ZERO": Rounding.TO_ZERO,
        "AP_RND": Rounding.HALF_UP,
        "AP_RND_MIN_INF": Rounding.HALF_DOWN,
        "AP_RND_INF": Rounding.HALF_AWAY,
        "AP_RND_ZERO": Rounding.HALF_TO_ZERO,
        "AP_RND_CONV": Rounding.HALF_EVEN,
    }
)
OVERFLOWS: Mapping[str, CodeOverflow] = MappingProxyType(
    {
        "AP_SAT": CodeOverflow.SATURATE,
        "AP_SAT_ZERO": CodeOverflow.SATURATE_ZERO,
        "AP_SAT_SYM": CodeOverflow.SATURATE_SYMMETRIC,
        "AP_WRAP": CodeOverflow.WRAP,
        "AP_WRAP_SM": CodeOverflow.WRAP_SIGN_MAGNITUDE,
    }
)


def unit_of(quantization: str, overflow: str, saturated_bits: int = 0) -> Requantizer:
    """Return the unit of C++'s names; raise HwsimError for unknown ones.

    >>> str(unit_of("AP_RND_CONV", "AP_SAT")), str(unit_of("AP_TRN", "AP_WRAP", 1))
    ('ap_fixed:half_even:saturate', 'ap_fixed:floor:1')
    """
    if quantization not in ROUNDINGS or overflow not in OVERFLOWS:
        raise HwsimError(
            f"ap_fixed: modes {quantization} and {overflow} are unknown; quantization is one of {', '.join(ROUNDINGS)}, "
            f"overflow one of {', '.join(OVERFLOWS)}"
        )
    return Requantizer(
        scheme="ap_fixed",
        rounding=ROUNDINGS[quantization],
        overflow=OVERFLOWS[overflow],
        saturated_bits=saturated_bits,
    )


def check(unit: Requantizer) -> None:
    """Raise HwsimError for saturated bits where nothing wraps."""
    if unit.saturated_bits and unit.overflow not in WRAPS:
        raise HwsimError(
            f"requantizer: saturated_bits = {unit.saturated_bits} belongs to wrap and wrap_sign_magnitude, "
            f"not to overflow = {unit.overflow}"
        )
