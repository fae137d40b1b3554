"""SRAM macros at any size, width and node from the CACTI table: interpolate inside, extrapolate by law outside."""

from __future__ import annotations

import math
from functools import lru_cache

from hwsim.energy import cacti
from hwsim.energy.scaling import log_log

NODES_NM = (22, 32, 45, 65, 90)
TEMPERATURE_RANGE_K = (300.0, 400.0)
SMALLEST_BYTES = 1024


@lru_cache(maxsize=65536)
def macro(quantity: str, device: str, node_nm: float, size_bytes: float, width_bits: float) -> float:
    """Return CACTI's pJ, mW (300 K) or mm2 of a macro, log-log between nodes, at the edge node outside 22..90 nm.

    Args:
        quantity: ``read_pj``, ``write_pj`` (one access of ``width_bits``), ``leakage_mw`` or ``area_mm2``.
        device: ``lstp``, ``hp`` or ``lop``.
        node_nm: process node; scaling outside of CACTI's nodes is the caller's.
        size_bytes: capacity.
        width_bits: bits of one access.
    """
    node_nm = min(max(node_nm, NODES_NM[0]), NODES_NM[-1])
    high = next(i for i, node in enumerate(NODES_NM) if node >= node_nm)
    upper = _at_node(quantity, device, NODES_NM[high], size_bytes, width_bits)
    if NODES_NM[high] == node_nm:
        return upper
    lower = _at_node(quantity, device, NODES_NM[high - 1], size_bytes, width_bits)
    return log_log(node_nm, NODES_NM[high - 1], lower, NODES_NM[high], upper)


def _at_node(quantity: str, device: str, node_nm: int, size_bytes: float, width_bits: float) -> float:
    """Return the value at a node of the sweep.

    Wider than the grid: ``width / 512`` macros of 512 bits side by side. Otherwise outside: the value at the nearest
    edge times the ratio of the closed forms, so that the result is continuous. An access below 1 KiB costs no less
    than at 1 KiB here, because there the register-file law takes over.
    """
    grid = cacti.grids()[node_nm, device, quantity]
    widest = grid.widths_bits[-1]
    if width_bits > widest:
        macros = width_bits / widest
        return macros * _at_node(quantity, device, node_nm, size_bytes / macros, widest)
    if quantity in ("read_pj", "write_pj"):
        size_bytes = max(size_bytes, grid.sizes_bytes[0])
    edge_size = min(max(size_bytes, grid.sizes_bytes[0]), grid.sizes_bytes[-1])
    edge_width = max(width_bits, grid.widths_bits[0])
    value = grid(edge_size, edge_width)
    if (edge_size, edge_width) != (size_bytes, width_bits):
        form = cacti.closed_forms()[node_nm, device]
        value *= form(quantity, size_bytes, width_bits) / form(quantity, edge_size, edge_width)
    return value


def temperature_factor(device: str, node_nm: float, temperature_k: float) -> float:
    """Return leakage at ``temperature_k`` over that at 300 K (CACTI 7 at 22 and 45 nm, log-log between)."""
    curves = cacti.leakage_by_temperature()
    cold, hot = (_along(curves[node, device], temperature_k) for node in (22, 45))
    return log_log(min(max(node_nm, 22.0), 45.0), 22, cold, 45, hot)


def _along(curve: tuple[tuple[float, float], ...], temperature_k: float) -> float:
    """Return the factor at a temperature, its logarithm linear between the points of the curve."""
    high = next((i for i, (t, _) in enumerate(curve) if t >= temperature_k and i), len(curve) - 1)
    (t0, y0), (t1, y1) = curve[high - 1], curve[high]
    return math.exp(math.log(y0) + math.log(y1 / y0) * (temperature_k - t0) / (t1 - t0))
