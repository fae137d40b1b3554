"""One fold: the operands that the array holds and streams at a time, and how a dataflow lays them along rows, columns and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.hardware.dataflow import OPERAND_DIMENSIONS, Dataflow
from hwsim.hardware.parts import SystolicArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """``ifmap [m, k] @ weight [k, n]`` of integers, small enough for the array along its rows and columns.

    Args:
        ifmap, weight: integers.
        start: partial sums ``[m, n]`` that the products are added to, or None for zeros. They enter from above with the
            stream, or through the chain where partial sums stay in the array.

    Raises:
        ExecutionError: shapes that do not meet, or an empty operand.
    """

    ifmap: np.ndarray
    weight: np.ndarray
    start: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("ifmap", "weight", "start"):
            operand = getattr(self, name)
            if operand is not None and (operand.ndim != 2 or operand.dtype.kind not in "iu" or not operand.size):
                raise ExecutionError(
                    f"fold: {name} must be a non-empty integer matrix, not {operand.dtype} {list(operand.shape)}"
                )
        (m, k), (rows, n) = self.ifmap.shape, self.weight.shape
        if k != rows or (self.start is not None and self.start.shape != (m, n)):
            start = "none" if self.start is None else list(self.start.shape)
            raise ExecutionError(
                f"fold: ifmap must be [m, k], weight [k, n] and start [m, n], not {[m, k]}, {[rows, n]} and {start}"
            )

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes by dimension letter."""
        return {"m": self.ifmap.shape[0], "k": self.ifmap.shape[1], "n": self.weight.shape[1]}

    def operand(self, name: str) -> np.ndarray | None:
        """Return ``ifmap``, ``weight`` or ``psum`` (its start)."""
        return {"ifmap": self.ifmap, "weight": self.weight, "psum": self.start}[name]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """A fold as the array sees it, with the r rows and c columns that it uses; T vectors stream.

    Args:
        left: from the left ``[T, r]``.
        top: from above ``[T, c]``, or None.
        held: what is loaded before ``[r, c]``, or None.
    """

    left: np.ndarray
    top: np.ndarray | None
    held: np.ndarray | None


def carrier(flow: Dataflow, first: str, second: str) -> str:
    """Return the operand that carries two dimensions of a dataflow.

    >>> from hwsim.hardware.dataflow import DATAFLOWS
    >>> flow = DATAFLOWS["input_stationary"]
    >>> carrier(flow, flow.time, flow.rows), carrier(flow, flow.time, flow.columns)
    ('weight', 'psum')
    """
    return next(name for name, dims in OPERAND_DIMENSIONS.items() if set(dims) == {first, second})


def place(array: SystolicArray, fold: Fold, where: str = "fold") -> Placement:
    """Lay ``fold`` along the array's rows, columns and time.

    Raises:
        ExecutionError: a fold that is larger than the array; ``where`` names it.
    """
    flow, sizes = array.flow, fold.sizes
    for dim, limit, name in ((flow.rows, array.rows, "rows"), (flow.columns, array.columns, "columns")):
        if sizes[dim] > limit:
            raise ExecutionError(
                f"{where}: {dim} runs along the array's {name} and must be 1..{limit}, not {sizes[dim]}; cut it into folds"
            )
    left = _laid(fold, flow.time, flow.rows, flow)
    assert left is not None
    return Placement(
        left=left,
        top=_laid(fold, flow.time, flow.columns, flow),
        held=_laid(fold, flow.rows, flow.columns, flow),
    )


def _laid(fold: Fold, first: str, second: str, flow: Dataflow) -> np.ndarray | None:
    name = carrier(flow, first, second)
    operand = fold.operand(name)
    return operand if operand is None or OPERAND_DIMENSIONS[name] == first + second else operand.T
