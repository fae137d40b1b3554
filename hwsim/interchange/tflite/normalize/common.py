"""What the normalizers share: the type of one, and the layout in which an operator's operands meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.tflite.layout import CHANNELS_FIRST, Permutation, identity, keeps_order
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator

Normalizer = Callable[[FileOperator, Reading], None]


def meeting_layout(reading: Reading, indexes: Sequence[int]) -> Permutation:
    """Return the layout of operands that meet element by element: channels first where one is and all could be."""
    shapes = [reading.shape(index) for index in indexes]
    rank = max(map(len, shapes))
    if rank == len(CHANNELS_FIRST):
        moving = [index for index in indexes if not reading.is_constant(index)]
        able = all(len(reading.shape(index)) == rank for index in moving)
        if able and any(reading.layout(index) == CHANNELS_FIRST for index in moving):
            return CHANNELS_FIRST
    return identity(rank)


def meeting_operand(reading: Reading, index: int, permutation: Permutation) -> str:
    """Return the graph's tensor of an operand that broadcasts to the rank of ``permutation``."""
    rank = len(reading.shape(index))
    if rank == len(permutation):
        return reading.operand(index, permutation)
    if permutation == identity(len(permutation)) or rank == 0:
        return reading.operand(index, identity(rank))
    values, grid = reading.constant(index, "operand"), reading.grid(index)
    if grid is not None and grid.granularity.axis is not None:
        raise GraphError(f"operand {reading.names[index]!r} has scales per channel; only weights may have them")
    aligned = values.reshape((1,) * (len(permutation) - rank) + values.shape)
    return reading.add_constant(reading.names[index], np.ascontiguousarray(aligned.transpose(permutation)), grid)


def in_order(reading: Reading, index: int) -> str:
    """Return the graph's tensor with the elements in the file's order; no Transpose where the layouts agree in it."""
    shape = reading.shape(index)
    own = reading.layout(index)
    return reading.operand(index, own if keeps_order(shape, own) else identity(len(shape)))


def natural_layout(reading: Reading, index: int, shape: tuple[int, ...]) -> Permutation:
    """Return the layout for a result that is computed in the file's order: channels first where that costs nothing."""
    if index in reading.wanted and len(shape) == len(CHANNELS_FIRST) and keeps_order(shape, CHANNELS_FIRST):
        return CHANNELS_FIRST
    return identity(len(shape))
