"""Which points of a sweep nobody beats."""

from __future__ import annotations

from collections.abc import Sequence

from hwsim.tables import Table


def pareto_front(table: Table, *, maximize: Sequence[str], minimize: Sequence[str]) -> tuple[bool, ...]:
    """Return for each row whether no other row is at least as good in every column and better in one.

    >>> table = Table.of(("accuracy", "energy_pj"), [(0.9, 1.0), (0.9, 2.0), (0.99, 3.0)])
    >>> pareto_front(table, maximize=["accuracy"], minimize=["energy_pj"])
    (True, False, True)
    """
    columns = [[-value for value in table[name]] for name in maximize] + [list(table[name]) for name in minimize]
    points = list(zip(*columns, strict=True))
    return tuple(not any(_dominates(other, point) for other in points) for point in points)


def _dominates(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return first != second and all(a <= b for a, b in zip(first, second, strict=True))
