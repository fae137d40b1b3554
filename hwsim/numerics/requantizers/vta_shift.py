"""VTA's ALU without the MIN and MAX that nobody asked for: ``y = wrap(clip(wrap32(acc >> s) + z))``, floor.

A store keeps the low bits of the 32-bit register, so a result that was not clipped wraps. The ALU clips at a bound only
where it lies inside the output register (a fused clamp, a narrow format): int8 codes of -128..127 are not clipped at all,
those behind a ReLU, 0..127, only from below, and their codes may leave 0..127. The register is the smallest of 8, 16 and
32 bits that holds the bounds, signed where both kinds do; bounds beyond 32 bits clip. Scales are powers of two. With
``overflow = saturate`` MIN and MAX are always emitted, as TVM's quantization does. Source: ``tvm-vta/hardware/xilinx/src/vta.cc``.
"""

from __future__ import annotations

from hwsim.errors import HwsimError
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants
from hwsim.numerics.requantizers._double_rounding import wrap32
from hwsim.numerics.rounding import Rounding, rounding_shift

LIKE = "power_of_two"
KEYS = {"overflow": CodeOverflow.WRAP}
CLAMPS_FIRST = True


def check(unit: Requantizer) -> None:
    """Raise HwsimError for an overflow that neither VTA's store nor its MIN and MAX give."""
    if unit.overflow not in (CodeOverflow.WRAP, CodeOverflow.SATURATE):
        raise HwsimError(
            f"requantizer: vta_shift wraps, or saturates with MIN and MAX; it has no overflow {unit.overflow}"
        )


def register(low: int, high: int) -> tuple[int, int] | None:
    """Return the ends of the smallest output register that holds ``low..high``; None beyond 32 bits.

    >>> register(-128, 127), register(0, 127), register(0, 255), register(-8, 300)
    ((-128, 127), (-128, 127), (0, 255), (-32768, 32767))
    """
    for bits in (8, 16, 32):
        for start in (-(1 << (bits - 1)), 0):
            end = start + (1 << bits) - 1
            if start <= low and high <= end:
                return start, end
    return None


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return the low bits of ``(value >> shift) + zero_point``, clipped at the bounds inside the output register.

    >>> [requantize_one(v, 1, 1, Requantizer(scheme="vta_shift"), 0, low, 127) for low in (-128, 0) for v in (-3, 400)]
    [-2, -56, 0, -56]
    """
    shifted = rounding_shift(wrap32(int(value)), int(shift), Rounding.FLOOR)
    result = wrap32(shifted + zero_point)
    ends = register(low, high)
    if ends is None or unit.overflow is CodeOverflow.SATURATE:
        return min(max(result, low), high)
    start, end = ends
    if low > start:
        result = max(result, low)
    if high < end:
        result = min(result, high)
    return ((result - start) & (end - start)) + start


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``requantize_one`` of the centred codes, aligned by left shifts and added."""
    total = sum(int(value) * int(factor) for value, factor in zip(values, constants.multiplier, strict=True))
    return requantize_one(total, 1, constants.shift, unit, zero_point, low, high)
