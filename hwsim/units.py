"""Conversions between the units that names in hwsim carry, and how a person reads them."""

from __future__ import annotations

BITS_PER_BYTE = 8
FLOAT32_BITS = 32
PICO = 1e-12
MEGA = 1e6

_PREFIXES = (
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
)


def human(value: float, unit: str = "") -> str:
    """Write ``value`` with three significant digits and an SI prefix.

    >>> human(1234567, "B")
    '1.23 MB'
    >>> human(0.00042, "s")
    '420 µs'
    >>> human(0)
    '0'
    """
    if value == 0:
        return f"0 {unit}".rstrip()
    factor, prefix = next((pair for pair in _PREFIXES if abs(value) >= pair[0] * 0.9995), _PREFIXES[-1])
    scaled = value / factor
    digits = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
    return f"{scaled:.{digits}f} {prefix}{unit}".rstrip()


def ceil_div(numerator: int, denominator: int) -> int:
    """Return the smallest integer not below ``numerator / denominator``.

    >>> ceil_div(7, 2), ceil_div(8, 2)
    (4, 4)
    """
    return -(-numerator // denominator)
