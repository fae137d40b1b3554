"""Moves over a link in bits and cycles."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwsim.cost.steps import Moves, Steps
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.layer_constants import column_bits, position_bits, position_words, table_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import scale_bits, stored_weight_bits


def storage_bits(mapping: Mapping, operand: str) -> int:
    """Return the bits of one stored element of ``ifmap``, ``weight`` or ``ofmap``; of a sparse weight with its index."""
    return stored_weight_bits(mapping) if operand == "weight" else int(getattr(mapping.gemm, operand).bits)


def constant_words(gemm: Gemm, steps: Steps, datapath: Datapath) -> np.ndarray:
    """Return the columns whose constants (``column_bits``) come with the weights of each step: a group's n at its first."""
    if not column_bits(gemm, datapath):
        return np.zeros_like(steps.m)
    return _at_first(gemm, steps, gemm.n)


def moved_positions(gemm: Gemm, steps: Steps, datapath: Datapath) -> np.ndarray:
    """Return the scales by position that come with the weights of each step: a group's at its first, shared ones at the layer's."""
    words = position_words(gemm, datapath)
    if gemm.scales_groups:
        return _at_first(gemm, steps, words)
    moved = np.zeros_like(steps.m)
    moved[0] = words
    return moved


def _at_first(gemm: Gemm, steps: Steps, words: int) -> np.ndarray:
    """Return what moves in each step when every group brings ``words`` to its first."""
    per_visit = int(steps.groups.sum()) // gemm.groups  # steps in which the same groups travel
    moved = np.zeros_like(steps.m)
    moved[::per_visit] = words * steps.groups[::per_visit]
    return moved


def beside(mapping: Mapping, steps: Steps, moves: Moves, datapath: Datapath) -> tuple[np.ndarray, ...]:
    """Return the bits of what moves beside an operand in each step, by kind: with weights constants, scales and a table."""
    if moves.link.operand != "weight":
        return ()
    gemm = mapping.gemm
    return (
        constant_words(gemm, steps, datapath) * column_bits(gemm, datapath),
        moved_positions(gemm, steps, datapath) * position_bits(gemm, datapath),
        moves.scales * scale_bits(gemm, datapath),
        filled_bits(gemm, steps, datapath),
    )


def filled_bits(gemm: Gemm, steps: Steps, datapath: Datapath) -> np.ndarray:
    """Return the bits of a decoder's table in each step: all at the layer's first."""
    bits = np.zeros_like(steps.m)
    bits[0] = table_bits(gemm, datapath)
    return bits


def moved_bits(mapping: Mapping, moves: Moves, extra: Iterable[np.ndarray] = ()) -> np.ndarray:
    """Return the bits over the link in each step, int64 ``[steps]``: every run in whole bursts; ``extra`` bits are a run each."""
    bits = moves.elements * storage_bits(mapping, moves.link.operand)
    burst = moves.link.burst_bits
    if burst > 1:
        runs = np.maximum(moves.runs, 1)
        bits = -(-bits // (runs * burst)) * runs * burst
    for more in extra:
        bits = bits + -(-more // burst) * burst
    return bits


def transfer_cycles(mapping: Mapping, moves: Moves, extra: Iterable[np.ndarray] = ()) -> np.ndarray:
    """Return the cycles that the link is busy in each step: its slower end decides."""
    bits = moved_bits(mapping, moves, extra)
    return -(-bits // min(moves.link.source_bits, moves.link.target_bits))
