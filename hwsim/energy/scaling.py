"""Technology scaling: from the node where a law was stated to another node and supply voltage."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

NODE_RANGE_NM = (7.0, 130.0)
"""Nodes with at least one source on both sides: TPUv4i at 7 nm, Stillmaker and Baas at 130 nm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEnergyLaw:
    """Energy of a logic operation against node at nominal supply: one power law on either side of the knee."""

    formula: ClassVar[str] = "(n/{knee_nm:g})^{exponent_above:g} from {knee_nm:g} nm up, ^{exponent_below:g} below"
    knee_nm: float
    exponent_above: float
    exponent_below: float

    def __call__(self, node_nm: float) -> float:
        """Return the energy at ``node_nm`` over that at the knee.

        >>> round(NodeEnergyLaw(knee_nm=45, exponent_above=1.4, exponent_below=0.6)(65), 2)  # S&B: 1.65
        1.67
        """
        ratio = node_nm / self.knee_nm
        return float(ratio ** (self.exponent_above if ratio >= 1 else self.exponent_below))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAreaLaw:
    """Area against node, log-log between the nodes of a matrix; ends continue with their last slope."""

    formula: ClassVar[str] = "log-log between {factors} at {nodes_nm} nm"
    nodes_nm: tuple[float, ...]
    factors: tuple[float, ...]

    def __call__(self, node_nm: float) -> float:
        """Return the area at ``node_nm`` over that of the factor 1 node."""
        nodes = self.nodes_nm
        high = min(max(bisect_right(nodes, node_nm), 1), len(nodes) - 1)
        return log_log(node_nm, nodes[high - 1], self.factors[high - 1], nodes[high], self.factors[high])


def log_log(x: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """Return ``y`` at ``x`` on the power law through ``(x0, y0)`` and ``(x1, y1)``.

    >>> round(log_log(4.0, 1.0, 3.0, 16.0, 12.0), 9)
    6.0
    """
    share = math.log(x / x0) / math.log(x1 / x0)
    return float(y0 * (y1 / y0) ** share)


def voltage_energy_factor(voltage_v: float, nominal_voltage_v: float) -> float:
    """Return the dynamic energy factor ``(V / Vnom)^2`` (charge of a capacitance)."""
    return (voltage_v / nominal_voltage_v) ** 2


def voltage_leakage_factor(voltage_v: float, nominal_voltage_v: float) -> float:
    """Return the leakage power factor ``V / Vnom``: supply times a constant current, which neglects DIBL."""
    return voltage_v / nominal_voltage_v
