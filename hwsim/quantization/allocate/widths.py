"""A number per knob and width: what a sensitivity measures, and what a cost prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.knobs import Assignment, Key, Knob
from hwsim.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The knobs and the widths that each may take.

    Args:
        knobs: one or more.
        bits: ascending widths, as many tuples as knobs.

    Raises:
        HwsimError: no knob, a knob without widths, or widths that do not ascend.
    """

    knobs: tuple[Knob, ...]
    bits: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.knobs or len(self.knobs) != len(self.bits):
            raise HwsimError(f"allocate: {len(self.knobs)} knobs need as many tuples of widths, not {len(self.bits)}")
        for knob, widths in zip(self.knobs, self.bits, strict=True):
            if not widths or any(b <= a for a, b in pairwise(widths)):
                raise HwsimError(f"allocate: {knob}: widths must ascend, and be at least one, not {widths}")

    def of_key(self, key: Key) -> tuple[int, ...]:
        """Return all widths of one key, ascending."""
        rows = zip(self.knobs, self.bits, strict=True)
        return tuple(sorted({b for knob, widths in rows if knob.key == key for b in widths}))

    @property
    def widest(self) -> Assignment:
        """Every knob at its widest."""
        return tuple(widths[-1] for widths in self.bits)

    def nearest(self, bits: Mapping[Key, int]) -> Assignment:
        """Return every knob at its widest width of at most ``bits[key]``; at its narrowest where all are wider."""
        wanted = [bits[knob.key] for knob in self.knobs]
        fitting = [[b for b in widths if b <= most] for widths, most in zip(self.bits, wanted, strict=True)]
        return tuple(fit[-1] if fit else widths[0] for fit, widths in zip(fitting, self.bits, strict=True))

    def under(self, most: Assignment) -> Choices:
        """Return the choices whose widths are at most those of ``most``, one of which each knob has."""
        rows = zip(self.bits, most, strict=True)
        return Choices(knobs=self.knobs, bits=tuple(tuple(b for b in widths if b <= cap) for widths, cap in rows))

    def only(self, keep: Callable[[Knob, int], bool]) -> Choices:
        """Return the choices without the widths that ``keep`` refuses; a knob that is left without widths is an error."""
        kept = tuple(
            tuple(b for b in widths if keep(knob, b)) for knob, widths in zip(self.knobs, self.bits, strict=True)
        )
        return Choices(knobs=self.knobs, bits=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthTable:
    """Values that are summed over knobs.

    Args:
        choices: knobs and widths.
        values: in the shape of ``choices.bits``.
        unit: of the values.
        base: what is added to every sum.
    """

    choices: Choices
    values: tuple[tuple[float, ...], ...]
    unit: str
    base: float = 0.0

    def __post_init__(self) -> None:
        if [len(row) for row in self.values] != [len(row) for row in self.choices.bits]:
            raise HwsimError("allocate: a table of widths needs one value per knob and width")

    @classmethod
    def of(cls, choices: Choices, value: Callable[[Knob, int], float], unit: str, base: float = 0.0) -> WidthTable:
        """Fill a table from a function."""
        rows = zip(choices.knobs, choices.bits, strict=True)
        values = tuple(tuple(float(value(knob, b)) for b in widths) for knob, widths in rows)
        return cls(choices=choices, values=values, unit=unit, base=base)

    def only(self, choices: Choices) -> WidthTable:
        """Return the values of ``choices``, which has the same knobs and some of their widths."""
        value = {
            (knob, b): value
            for knob, widths, row in zip(self.choices.knobs, self.choices.bits, self.values, strict=True)
            for b, value in zip(widths, row, strict=True)
        }
        return WidthTable.of(choices, lambda knob, b: value[knob, b], self.unit, self.base)

    def least(self, choices: Choices) -> Assignment:
        """Return every knob at the width of ``choices`` with the smallest value."""
        rows = zip(choices.bits, self.only(choices).values, strict=True)
        return tuple(widths[min(range(len(row)), key=row.__getitem__)] for widths, row in rows)

    def total(self, bits: Assignment) -> float:
        """Return the sum of an assignment."""
        total = self.base
        for widths, row, b in zip(self.choices.bits, self.values, bits, strict=True):
            total += row[widths.index(b)]
        return total

    def table(self) -> Table:
        """Return rows ``layer key bits value``."""
        rows = zip(self.choices.knobs, self.choices.bits, self.values, strict=True)
        found = [
            (knob.layer, knob.key, b, value)
            for knob, widths, values in rows
            for b, value in zip(widths, values, strict=True)
        ]
        return Table.of(("layer", "key", "bits", "value"), found)
