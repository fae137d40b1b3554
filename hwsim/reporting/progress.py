"""A progress bar on stderr for long work; silent when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")


def progress(iterable: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items and show how far they are, on stderr; a pipe or a log file gets nothing.

    Args:
        iterable: the work.
        description: what is done, shown as it is.
        total: number of items, if ``len(iterable)`` does not tell.
    """
    if not sys.stderr.isatty():
        yield from iterable
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if total is None:
        total = len(iterable) if isinstance(iterable, Sized) else None
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(iterable, total=total, description=description)
