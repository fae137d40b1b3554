"""The roofline's numbers: the machine's two limits, and where each layer lies under them.

Williams, Waterman, Patterson, "Roofline: an insightful visual performance model", CACM 52(4), 2009.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hwsim.reporting.query import column
from hwsim.simulation.result import Result
from hwsim.units import BITS_PER_BYTE, MEGA

if TYPE_CHECKING:
    from hwsim.hardware import Accelerator

OPERATIONS_PER_MAC = 2


class Roof(NamedTuple):
    """Peak operations per second and DRAM bytes per second."""

    peak: float
    bytes_per_second: float

    @property
    def ridge(self) -> float:
        """Operations per byte from which the array is the limit."""
        return self.peak / self.bytes_per_second


class Point(NamedTuple):
    """A layer; ``intensity`` is infinite without DRAM traffic."""

    name: str
    intensity: float
    speed: float
    cycles: int


def roof_of(accelerator: Accelerator) -> Roof:
    """Return the roof of a machine: every processing element busy, DRAM at its full width."""
    bytes_per_cycle = accelerator.dram.bits_per_cycle / BITS_PER_BYTE
    return Roof(OPERATIONS_PER_MAC * accelerator.peak_macs_per_second, bytes_per_cycle * accelerator.clock_mhz * MEGA)


def points_of(result: Result, accelerator: Accelerator) -> list[Point]:
    """Return the layers that multiply, the one with the most cycles first."""
    names = ("layer", "macs", "dram_bytes", "cycles")
    points = []
    for name, macs, moved, cycles in zip(*(column(result.layers, key) for key in names), strict=True):
        if macs and cycles:
            operations = OPERATIONS_PER_MAC * macs
            intensity = operations / moved if moved else float("inf")
            points.append(Point(str(name), intensity, operations * accelerator.clock_mhz * MEGA / cycles, cycles))
    return sorted(points, key=lambda point: -point.cycles)
