"""A unique name for every tensor of the file."""

from __future__ import annotations

from collections.abc import Sequence


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names as written; an empty or repeated one gets its number in the file.

    >>> unique_names(["x", "", "x", "y"])
    ['x', 'tensor:1', 'x:2', 'y']
    """
    written, taken = set(names), set[str]()
    found = []
    for index, name in enumerate(names):
        unique = name
        if not name or name in taken:
            unique = f"{name or 'tensor'}:{index}"
            while unique in written or unique in taken:
                unique += "'"
        taken.add(unique)
        found.append(unique)
    return found
