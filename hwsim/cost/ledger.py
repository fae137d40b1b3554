"""The ledger: what happened, as rows that the energy table prices. Columns inside, records at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwsim.tables import Table

ACCESS_COLUMNS = ("layer", "memory", "operand", "action", "count", "bits")
COMPUTE_COLUMNS = ("layer", "unit", "action", "count", "a_bits", "b_bits", "sum_bits")
STALLS = ("stall_ifmap", "stall_weight", "stall_ofmap", "stall_port", "stall_requantizer")
CYCLE_COLUMNS = ("layer", "compute", "fill", "drain", "vector", *STALLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """``count`` elements of ``bits`` bits read from or written to a memory."""

    memory: str
    operand: str
    action: str
    count: int
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """``count`` actions of a unit; ``a_bits`` and ``b_bits`` are its operands' widths, ``sum_bits`` its register's."""

    unit: str
    action: str
    count: int
    a_bits: int
    b_bits: int = 0
    sum_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Cycles of one layer by cause; they add up to the layer's total.

    Args:
        compute: streaming operands through the array.
        fill: the array's exposed loads, and running down its rows.
        drain: running out of its columns, its fixed latency, and shifting results out where exposed.
        vector: the vector unit's.
        stall_ifmap, stall_weight, stall_ofmap: waiting for an operand to arrive or for room for results.
        stall_port, stall_requantizer: steps that take longer than the array needs.
    """

    compute: int = 0
    fill: int = 0
    drain: int = 0
    vector: int = 0
    stall_ifmap: int = 0
    stall_weight: int = 0
    stall_ofmap: int = 0
    stall_port: int = 0
    stall_requantizer: int = 0

    @property
    def stall(self) -> int:
        """All waiting."""
        return sum(getattr(self, cause) for cause in STALLS)

    @property
    def total(self) -> int:
        """All cycles."""
        return self.compute + self.fill + self.drain + self.vector + self.stall


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCost:
    """All rows of one layer, without its name, so that equal layers share them."""

    accesses: tuple[Access, ...] = ()
    compute: tuple[Compute, ...] = ()
    cycles: Cycles = field(default_factory=Cycles)
    macs: int = 0
    idle_tail: int = 0  # DRAM's idle cycles at the end, in which the next layer's first weights may come


def access_table(costs: dict[str, LayerCost]) -> Table:
    """Return the memory rows of all layers."""
    return Table.of(
        ACCESS_COLUMNS,
        [
            (layer, a.memory, a.operand, a.action, a.count, a.bits)
            for layer, cost in costs.items()
            for a in cost.accesses
        ],
    )


def compute_table(costs: dict[str, LayerCost]) -> Table:
    """Return the arithmetic rows of all layers."""
    return Table.of(
        COMPUTE_COLUMNS,
        [
            (layer, c.unit, c.action, c.count, c.a_bits, c.b_bits, c.sum_bits)
            for layer, cost in costs.items()
            for c in cost.compute
        ],
    )


def cycle_table(costs: dict[str, LayerCost]) -> Table:
    """Return the cycles of all layers."""
    rows = [(layer, *(getattr(c.cycles, name) for name in CYCLE_COLUMNS[1:])) for layer, c in costs.items()]
    return Table.of(CYCLE_COLUMNS, rows)
