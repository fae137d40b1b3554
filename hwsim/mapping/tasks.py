"""What kind of work each operator is once it is lowered."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.gemm import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A tensor that an operator reads or writes: elements and storage bits of each."""

    operand: str
    elements: int
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorWork:
    """Work of the vector unit.

    Args:
        operations: (kind as in the energy table, count) over all elements.
        bits: operand width that is priced.
        reads: tensors read.
        writes: tensors written.
        outputs: elements that leave through a requantizer (0 where codes only move).
    """

    operations: tuple[tuple[str, int], ...]
    bits: int
    reads: tuple[Stream, ...]
    writes: tuple[Stream, ...]
    outputs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One operator's work; None where nothing is done (a view of the same data)."""

    layer: str
    op: str
    work: Gemm | VectorWork | None
