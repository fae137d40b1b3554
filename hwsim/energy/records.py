"""The small records of which an energy table is made: where a number comes from, and which technology it is for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hwsim.errors import did_you_mean

STATUSES = ("read", "second hand", "memory", "own synthesis", "own run", "fit", "derived", "assumption", "stated")
"""How a number is known: ``memory`` is recalled and not re-read, ``stated`` is given by a user without more."""

DEVICES = ("lstp", "hp", "lop")
"""ITRS device classes of CACTI: low standby power, high performance, low operating power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceRow:
    """One line of the provenance report: which law priced a component, and how far it can be trusted."""

    component: str
    formula: str
    source: str
    status: str
    uncertainty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """Where the prices hold: process node and supply. ``reference_node_nm`` is the node that the laws are stated at."""

    node_nm: float
    voltage_v: float
    nominal_voltage_v: float
    reference_node_nm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SramClass:
    """Which memory macros are meant: CACTI device class, temperature for leakage, and the law of the access energy.

    ``energy_law`` is ``cacti`` (table, above 10 nm) or ``root`` (``laws.sram_root_pj``, at the table's own node).
    """

    device: str
    temperature_k: float
    energy_law: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DramType:
    """Energy of moving one bit to or from one kind of DRAM, in pJ; not scaled with node or voltage."""

    name: str
    pj_per_bit: float
    source: str
    status: str
    uncertainty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A fixed price, from a measurement or another tool, for one method of the table.

    ``arguments`` are the positional arguments as text; an empty tuple fixes the method for every argument.
    """

    method: str
    arguments: tuple[str, ...]
    value: float
    source: str
    status: str

    @property
    def key(self) -> str:
        """The text form in the file, as ``multiply_pj(8, 8)``."""
        return f"{self.method}({', '.join(self.arguments)})" if self.arguments else self.method


def choice_problem(what: str, value: str, options: Iterable[str]) -> str | None:
    """Return what is wrong with a choice (the options and the closest of them), or ``None``."""
    known = tuple(options)
    if value in known:
        return None
    hint = did_you_mean(value, known)
    return f"{what} must be one of {', '.join(known)}, not {value!r}{hint if 'did you mean' in hint else ''}"
