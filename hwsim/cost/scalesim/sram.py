"""Words that cross the edge of the array, as SCALE-Sim counts its SRAM accesses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.cost.array_cycles import fold_count
from hwsim.cost.traffic import edge_elements
from hwsim.hardware.parts import SystolicArray

OPERANDS = {"ifmap": "ifmap", "filter": "weight", "ofmap": "psum"}


def sram_words(array: SystolicArray, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the reads of ``ifmap`` and ``filter`` and the writes of ``ofmap`` for a product ``sizes`` (m, k, n).

    An operand crosses the edge once for every fold along a dimension that it does not have; results are partial sums, written
    after every fold along k (``no_accumulator``). Missing pixels of a window are read (``padding_is_read``), and an
    output-stationary fold writes R + C words too many (``extra_writes``).
    """
    tile = {dim: np.array([size]) for dim, size in sizes.items()}
    words = {name: int(edge_elements(array, tile, operand)[0]) for name, operand in OPERANDS.items()}
    if array.flow.reduces_in_time:
        words["ofmap"] += int(fold_count(array, tile)[0]) * (array.rows + array.columns)
    return words
