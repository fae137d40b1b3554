"""What is replayed: when an array asks for which address of an operand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Axis(NamedTuple):
    """One index of an operand matrix; an address is the sum of the parts of both indices.

    Args:
        parts: int64 ``[3, size]``: what the index adds to the address, to the row of the image, to its column.
        block: indices that one fold holds; 0 where every fold has all of them.
        by_columns: whether the block is chosen by the column fold, else by the row fold.
    """

    parts: np.ndarray
    block: int
    by_columns: bool


class Demand(NamedTuple):
    """When the array asks for an operand: cycle ``start + step + lane`` of a fold, or ``step`` from the last to the first.

    Args:
        lanes: the index that runs along the edge of the array, in blocks.
        steps: the index that runs along time; in blocks, by the row fold, where it is not skewed.
        start: cycle of a fold in which the first request of a skewed operand comes.
        skewed: whether a lane runs one cycle behind the lane before; else all lanes come together, the last step first.
        height: rows of the image; a request beyond is none.
        width: columns of the image.
        addresses: all addresses are below.
    """

    lanes: Axis
    steps: Axis
    start: int
    skewed: bool
    height: int
    width: int
    addresses: int
