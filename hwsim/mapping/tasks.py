"""What kind of work each operator is once it is lowered."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.gemm import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A tensor that an operator reads or writes.

    Args:
        operand: as whose memory it passes: ``ifmap``, ``weight`` or ``ofmap``.
        elements: of it that are read or written; one that is read twice counts twice.
        bits: of storage per element.
        on_chip: it stays in the on-chip memory of the network's ofmaps instead of passing through DRAM.
    """

    operand: str
    elements: int
    bits: int
    on_chip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorWork:
    """Work of the vector unit.

    Args:
        operations: (kind as in the energy table, count) over all elements.
        bits: operand width that is priced.
        reads: tensors read.
        writes: tensors written.
        outputs: elements that leave through a requantizer (0 where codes only move).
        scales: output channels with a scale of their own, of which the requantizer is told; 0 where one serves all.
    """

    operations: tuple[tuple[str, int], ...]
    bits: int
    reads: tuple[Stream, ...]
    writes: tuple[Stream, ...]
    outputs: int
    scales: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One operator's work; None where nothing is done (a view of the same data).

    Args:
        layer, op: name and kind of the operator.
        work: what it lowers to.
        reads: names of the tensors read, in the order of the work's operands (of a Gemm: ifmap, weight).
        writes: names of the tensors written.
    """

    layer: str
    op: str
    work: Gemm | VectorWork | None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
