"""What an access to a memory wakes: one of its banks."""

from __future__ import annotations

from hwsim.hardware.parts import MemoryLevel
from hwsim.units import BITS_PER_BYTE, ceil_div


def bank_of(level: MemoryLevel, port_bits: int) -> tuple[int, int]:
    """Return (bytes, port bits) of one bank of a memory whose port is ``port_bits`` wide; the other banks sleep."""
    size_bytes = ceil_div(level.size_bytes, level.banks)
    return size_bytes, min(port_bits, size_bytes * BITS_PER_BYTE)
