"""Which circuit a requantizer is priced as: the conventions differ in rounding and clamping, hardly in gates.

All that multiply are the multiplier, adder and shifter of ``fixed_point`` at their multiplier's width (gemmlowp's 32-bit
``SRDHM`` and CMSIS-NN's too; the 16-bit ones at 16); all that only shift are ``power_of_two``.
"""

from __future__ import annotations

from hwsim.errors import ConfigError

PRICED_AS: dict[str, tuple[str, int | None]] = {
    "float32": ("float32", None),
    "fixed_point": ("fixed_point", None),
    "power_of_two": ("power_of_two", None),
    "vta_shift": ("power_of_two", None),
    "tflite_double": ("fixed_point", 32),
    "cmsis_nn": ("fixed_point", 32),
    "qnnpack_q31": ("fixed_point", 32),
    "xnnpack_rndnu": ("fixed_point", 25),
    "tflite_int16x8": ("fixed_point", 16),
    "nvdla_sdp": ("fixed_point", 16),
}


def circuit(scheme: str, multiplier_bits: int) -> tuple[str, int]:
    """Return (priced scheme, multiplier width) of a requantizer.

    >>> circuit("fixed_point", 20), circuit("nvdla_sdp", 32)
    (('fixed_point', 20), ('fixed_point', 16))
    """
    if scheme not in PRICED_AS:
        problem = f"requantizer scheme {scheme!r} has no price; add the circuit it is to hwsim/cost/requantizers.py"
        raise ConfigError("datapath.requantizer", [problem])
    priced, bits = PRICED_AS[scheme]
    return priced, multiplier_bits if bits is None else bits
