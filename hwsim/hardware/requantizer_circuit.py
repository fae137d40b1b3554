"""Which circuit a requantizer is: the conventions differ in rounding and clamping, hardly in gates.

All that multiply are the multiplier, adder and shifter of ``fixed_point`` at their multiplier's width (gemmlowp's 32-bit
``SRDHM`` and CMSIS-NN's too; the 16-bit ones at 16); all that only shift are ``power_of_two``. ``thresholds`` is a binary
search: for every bit of the output one comparison at the accumulator's width and one threshold read.
"""

from __future__ import annotations

from hwsim.errors import ConfigError
from hwsim.hardware.requantizer import RequantizerPart
from hwsim.units import FLOAT32_BITS

MULTIPLIER_BITS = 32
OUTPUT_BITS = 8
SHIFT_BITS = 8
PRICED_AS: dict[str, tuple[str, int | None]] = {
    "float32": ("float32", None),
    "float64": ("fixed_point", 53),
    "fixed_point": ("fixed_point", None),
    "power_of_two": ("power_of_two", None),
    "ap_fixed": ("power_of_two", None),
    "nvdla_cacc": ("power_of_two", None),
    "vta_shift": ("power_of_two", None),
    "tflite": ("fixed_point", 32),
    "tflite_double": ("fixed_point", 32),
    "cmsis_nn": ("fixed_point", 32),
    "qnnpack_q31": ("fixed_point", 32),
    "xnnpack_rndnu": ("fixed_point", 25),
    "tflite_int16x8": ("fixed_point", 16),
    "nvdla_sdp": ("fixed_point", 16),
    "thresholds": ("thresholds", None),
}


def circuit(scheme: str, second_bits: int) -> tuple[str, int]:
    """Return (priced circuit, its second width) of a requantizer, see ``second_bits``.

    >>> circuit("fixed_point", 20), circuit("nvdla_sdp", 32)
    (('fixed_point', 20), ('fixed_point', 16))
    """
    if scheme not in PRICED_AS:
        problem = f"requantizer scheme {scheme!r} has no price; add the circuit it is to hwsim/hardware/requantizer_circuit.py"
        raise ConfigError("datapath.requantizer", [problem])
    priced, bits = PRICED_AS[scheme]
    return priced, second_bits if bits is None else bits


def second_bits(unit: RequantizerPart, output_bits: int = OUTPUT_BITS) -> int:
    """Return the width beside the accumulator's that sets the price: the multiplier's, of ``thresholds`` the output's."""
    stated = output_bits if unit.scheme == "thresholds" else unit.multiplier_bits or MULTIPLIER_BITS
    return circuit(unit.scheme, stated)[1]


def constant_bits(unit: RequantizerPart, accumulator_bits: int, output_bits: int) -> int:
    """Return the bits that a unit is told of one scale: multiplier and shift, a float32, or one threshold per step of codes.

    >>> constant_bits(RequantizerPart(multiplier_bits=16), 32, 8), constant_bits(RequantizerPart(scheme="float32"), 32, 8)
    (24, 32)
    >>> constant_bits(RequantizerPart(scheme="thresholds"), 20, 4)
    300
    """
    kind, width = circuit(unit.scheme, second_bits(unit, output_bits))
    if kind == "thresholds":
        return ((1 << output_bits) - 1) * accumulator_bits
    if kind == "float32":
        return FLOAT32_BITS
    return SHIFT_BITS if kind == "power_of_two" else width + SHIFT_BITS
