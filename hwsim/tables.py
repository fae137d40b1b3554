"""A small frozen table of named columns: what the core emits, so that it needs no data-frame library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.errors import HwsimError, did_you_mean


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of equal length, by name.

    >>> table = Table.of(("layer", "cycles"), [("conv1", 10), ("conv2", 20), ("conv1", 5)])
    >>> table.sum("cycles"), table.sum_by("layer", "cycles")
    (35, {'conv1': 15, 'conv2': 20})
    """

    columns: Mapping[str, tuple[Any, ...]]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise HwsimError(f"table: columns differ in length: {lengths}")

    @classmethod
    def of(cls, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
        """Build a table from rows."""
        listed = list(rows)
        return cls({name: tuple(row[i] for row in listed) for i, name in enumerate(names)})

    @classmethod
    def of_records(cls, records: Sequence[Mapping[str, Any]]) -> Table:
        """Build a table from mappings; a key that a record lacks is None there."""
        names = list(dict.fromkeys(key for record in records for key in record))
        return cls({name: tuple(record.get(name) for record in records) for name in names})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> tuple[Any, ...]:
        if name not in self.columns:
            raise HwsimError(f"table: no column {name!r}{did_you_mean(name, self.columns)}")
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a dict."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def where(self, **equal: Any) -> Table:
        """Return the rows whose columns have the given values."""
        keep = [i for i in range(len(self)) if all(self[name][i] == value for name, value in equal.items())]
        return Table({name: tuple(values[i] for i in keep) for name, values in self.columns.items()})

    def sum(self, name: str) -> Any:
        """Sum a column; None counts as nothing."""
        return sum(value for value in self[name] if value is not None)

    def sum_by(self, key: str, name: str) -> dict[Any, Any]:
        """Sum a column per value of ``key``, in order of first appearance."""
        totals: dict[Any, Any] = {}
        for group, value in zip(self[key], self[name], strict=True):
            if value is not None:
                totals[group] = totals.get(group, 0) + value
        return totals

    def pareto_front(self, *, maximize: Sequence[str], minimize: Sequence[str]) -> tuple[bool, ...]:
        """Return for each row whether no other row is at least as good in every column and better in one.

        >>> points = Table.of(("accuracy", "energy_pj"), [(0.9, 1.0), (0.9, 2.0), (0.99, 3.0)])
        >>> points.pareto_front(maximize=["accuracy"], minimize=["energy_pj"])
        (True, False, True)
        """
        columns = [[-value for value in self[name]] for name in maximize] + [list(self[name]) for name in minimize]
        points = list(zip(*columns, strict=True))

        def beaten(point: tuple[Any, ...]) -> bool:
            return any(o != point and all(a <= b for a, b in zip(o, point, strict=True)) for o in points)

        return tuple(not beaten(point) for point in points)
