"""How one GEMM is cut into tiles and folds, and the order in which its products meet the accumulator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.check import check_mapping
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.tiles import Part, k_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What the memories of one level behind the first hold at a time: ``m x n`` outputs with the whole of k.

    Args:
        level: of the memories, 2 or more.
        m, n: sizes in elements; the last block of a dimension may be smaller.
        order: the order in which blocks are visited, outermost dimension first.
    """

    level: int
    m: int
    n: int
    order: str = "mnk"


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """One GEMM on one array.

    A *tile* is what the memories next to the array hold at a time; a *fold* is what the array holds at a time. Tiles are
    visited in ``order`` (outermost first); k is always innermost, so that partial sums never leave the first level. Where
    scales change along k a tile may hold several segments, but a fold lies within one: its partial sum is rescaled as it
    leaves the array.

    Args:
        gemm: the work.
        array: the array it runs on.
        tile_m, tile_k, tile_n: tile sizes in elements; the last tile of a dimension may be smaller. With a window,
            ``tile_k`` is a multiple of the kernel taps (whole channels) and ``tile_m`` whole output rows of one image
            (cut at its border) or whole images. With segments, tiles hold as many whole ones as fit ``tile_k``.
        order: ``mnk`` (for each m tile all n tiles) or ``nmk``.
        mac: lanes and cycles of a processing element at the widths of the layer (``hwsim.mapping.widths.mac_shape``). With
            sparse weights ``tile_k`` is whole blocks (with a window: of channels).
        blocks: what the memories of the levels behind the first hold, the outermost level first; tiles cut the innermost
            block. A level that is not stated holds everything.
        groups_together: groups whose tiles are loaded, computed and stored as one step; more than one only where the
            tile is the whole product.
        groups_in_array: groups that share a fold, block-diagonal: each on rows and columns of its own, zeros elsewhere.
        ifmap_on_chip, ofmap_on_chip: the activation stays in the on-chip memory of the network's ofmaps instead of
            passing through DRAM.
    """

    gemm: Gemm
    array: SystolicArray
    tile_m: int
    tile_k: int
    tile_n: int
    order: str = "mnk"
    mac: MacShape = ONE_PRODUCT
    blocks: tuple[Block, ...] = ()
    groups_together: int = 1
    groups_in_array: int = 1
    ifmap_on_chip: bool = False
    ofmap_on_chip: bool = False

    def __post_init__(self) -> None:
        check_mapping(self)

    @property
    def is_whole(self) -> bool:
        """Whether one tile is the whole product of a group."""
        return (self.tile_m, self.tile_k, self.tile_n) == (self.gemm.m, self.gemm.k, self.gemm.n)

    @property
    def tree(self) -> int:
        """Consecutive k whose products are summed exactly before each addition to a partial sum; pruned ones count."""
        slots = self.array.adder_tree * self.mac.k_lanes
        return slots if slots == 1 else slots // self.mac.keep * self.mac.block

    @cached_property
    def k_segments(self) -> tuple[int, ...]:
        """Lengths of the folds along k, in the order in which the array accumulates them.

        Where k runs along the rows a fold holds what ``rows`` processing elements hold of it (one each, more with lanes
        along k or sparse weights); where k runs in time a fold holds a whole tile. No fold crosses a segment of the GEMM.
        """
        fold = self.mac.held("k", self.array.rows) if self.array.flow.rows == "k" else self.tile_k
        segments: list[int] = []
        for part in self.k_parts:
            cuts = [*range(0, part.size, fold), part.size]
            segments += [after - before for before, after in pairwise(cuts)]
        return tuple(segments)

    @cached_property
    def k_parts(self) -> tuple[Part, ...]:
        """What each tile along k shares with each segment, in the array's order."""
        return tuple(k_parts(self.gemm, self.tile_k))

    @cached_property
    def k_permutation(self) -> np.ndarray | None:
        """Where the array's i-th product along k stands in ONNX weight order (channel, kernel row, kernel column).

        int64 ``[k]``, or None where both orders are the same. Channels come in the GEMM's ``channel_order``. With
        ``kernel_channel`` the channels of one part (a tile, or what it shares with a segment) are innermost: for each part,
        for each kernel position, for each channel of the part.
        """
        window, order = self.gemm.window, self.gemm.channel_order
        taps = window.taps if window else 1
        by_channel = taps == 1 or self.array.k_order == "channel_kernel"
        if by_channel and not order:
            return None
        index = np.arange(self.gemm.k, dtype=np.int64).reshape(-1, taps)
        index = index[list(order)] if order else index
        if by_channel:
            return index.reshape(-1)
        spans = [(part.start // taps, (part.start + part.size) // taps) for part in self.k_parts]
        return np.concatenate([index[start:stop].T.reshape(-1) for start, stop in spans])
