"""What a run of the stepped array leaves behind: integers and the cycles in which they were seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldRecord:
    """One fold as seen at the array's edges. Cycle 0 is the first in which anything enters the array.

    Args:
        values: int64 ``[m, n]`` (Python ints where a sum leaves 64 bits).
        value_cycles: the cycle in which each was readable at its port, int64 ``[m, n]``.
        first_operand, last_operand: cycles in which its first and last vector entered the first row.
        last_row_operand: the cycle in which its last vector entered the last row.
        first_result, last_result: cycles in which its results left, those of unused rows and columns among them.
    """

    values: np.ndarray
    value_cycles: np.ndarray
    first_operand: int
    last_operand: int
    last_row_operand: int
    first_result: int
    last_result: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """The array's edges, cycle by cycle, as a test bench drives and reads them; R rows, C columns, P ports.

    Operands are skewed already: this is what enters the elements. ``control`` holds the bits ``use`` 1 (the stationary
    register at the multiplier or adder), ``chain`` 2 (the one on the chain), ``shift`` 4, ``first`` 8 (add to zero),
    ``result`` 16; ``hwsim.kernels.stepped.CONTROL`` names them. Ports are the columns, the rows where results leave to
    the right, or all elements row by row.

    Args:
        left, control: ``[cycles, R]``.
        top, chain: ``[cycles, C]``.
        output: what the output registers show, results or not ``[cycles, P]``.
        valid: whether that is a result, bool ``[cycles, P]``.
    """

    left: np.ndarray
    control: np.ndarray
    top: np.ndarray
    chain: np.ndarray
    output: np.ndarray
    valid: np.ndarray

    @property
    def cycles(self) -> int:
        """Length of the trace."""
        return len(self.left)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SteppedRun:
    """A sequence of folds on the stepped array.

    Args:
        folds: in order.
        cycles: from the first operand that enters to the last result, both included.
        pass_cycles: when each pass of the chain began (a load, a drain, or both at once).
        trace: the edges, where it was asked for.
    """

    folds: tuple[FoldRecord, ...]
    cycles: int
    pass_cycles: tuple[int, ...]
    trace: Trace | None = None
