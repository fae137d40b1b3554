"""What the compiled timing reads and writes: structured types of numpy, every field an int64."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np


def _record(names: Sequence[str]) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names])


LAYER = _record(
    (
        *("m", "k", "n", "groups", "ifmap_bits", "weight_bits", "ofmap_bits", "psum_bits"),
        *("constant_bits", "table_bits", "preloads_bias", "weight_is_activation", "has_window"),
        *("position_words", "position_bits", "position_rows", "position_columns", "position_groups"),
        *("segments", "scale_bits", "shares_scales", "is_decoded"),
        *("out_width", "out_height", "taps", "in_height", "stored_width"),
        *("kernel", "stride", "dilation", "pad", "spread"),  # along the height
    )
)
"""A GEMM; ``constant_bits`` of a column and ``table_bits`` of the layer come with its weights.

``position_words`` scales by position, of ``position_bits`` each, come with a group's where ``position_groups`` holds, else with
the layer's; a finished tile reads one, or one per row and per column of it (``position_rows``, ``position_columns``).
``preloads_bias``, ``weight_is_activation``, ``has_window``, ``shares_scales`` and ``is_decoded`` are flags; ``segments`` is 0
where one scale serves the whole of k.
"""

MACHINE = _record(
    (
        *("rows", "columns", "rows_dim", "columns_dim", "time_dim", "stationary"),
        *(
            "down",
            "out",
            "load",
            "drain",
            "overlap_load",
            "overlap_drain",
            "in_one_piece",
            "hidden_from",
            "stream_block",
        ),
        *("k_lanes", "n_lanes", "cycles_per_vector", "keep", "block"),
        *("requantizer_lanes", "output_buffered", "levels"),
    )
)
"""An array at the widths of a layer; dimensions are 0, 1, 2 for m, k, n, ``stationary`` is 0, 1, 2 for weight, ifmap, psum.

``rows`` and ``columns`` count what they hold of their dimensions. ``in_one_piece``: results leave so, which a fold of at least
``hidden_from`` cycles hides.
"""

MEMORY = _record(("weight", "ifmap", "psum", "ofmap", "level", "read_bits", "write_bits", "shared", "dma"))
"""An on-chip memory: flags of what it holds; ``shared``: one port; ``dma``: loads and stores pass it as well."""

LINK = _record(
    ("operand", "level", "channel", "far_channel", "bits", "latency", "burst", "double", "dram", "source", "target")
)
"""A transfer path: operand 0, 1, 2 for weight, ifmap, ofmap; memories by index, -1 for DRAM; both channels are busy; ``dram``: on its read channel."""

TILING = _record(("m", "k", "n", "n_outermost", "groups_together", "groups_in_array", "prefetched"))
PART = _record(("tile", "size", "scales"))
"""What a tile along k shares with a segment (``hwsim.mapping.tiles.Part``), in the array's order."""
BLOCK = _record(("m", "n", "n_outermost"))
"""A block; row i of an array of them is level i + 2."""


MAX_LINKS = 15
"""Three operands on five levels of memory."""


class Counts(IntEnum):
    """Where the results stand."""

    END = 0
    COMPUTE = 1
    FILL = 2
    DRAIN = 3
    STALL_IFMAP = 4
    STALL_WEIGHT = 5
    STALL_OFMAP = 6
    STALL_PORT = 7
    STALL_REQUANTIZER = 8
    IDLE_TAIL = 9
    DRAM_BITS = 10
    WEIGHT_READS = 11
    IFMAP_READS = 12
    PSUM_ACCESSES = 13
    CONSTANT_READS = 14
    MOVED = 15
    """Bits over each link from here on: loads, then stores."""
    SCALE_READS = MOVED + MAX_LINKS
    POSITION_READS = SCALE_READS + 1


COUNTS = int(Counts.POSITION_READS) + 1
