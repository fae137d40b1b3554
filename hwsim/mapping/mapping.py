"""How one GEMM is cut into tiles and folds, and the order in which its products meet the accumulator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from hwsim.errors import MappingError
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.gemm import Gemm


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """One GEMM on one array.

    A *tile* is what the on-chip memories hold at a time; a *fold* is what the array holds at a time. Tiles are visited
    in ``order`` (outermost first); k is always innermost, so that partial sums never leave the chip.

    Args:
        gemm: the work.
        array: the array it runs on.
        tile_m, tile_k, tile_n: tile sizes in elements; the last tile of a dimension may be smaller. With a window,
            ``tile_k`` is a multiple of the kernel taps (whole channels) and ``tile_m`` whole output rows of one image
            (cut at its border) or whole images.
        order: ``mnk`` (for each m tile all n tiles) or ``nmk``.
    """

    gemm: Gemm
    array: SystolicArray
    tile_m: int
    tile_k: int
    tile_n: int
    order: str = "mnk"

    def __post_init__(self) -> None:
        if self.order not in ("mnk", "nmk"):
            raise MappingError(f"mapping: order must be 'mnk' or 'nmk', not {self.order!r}")
        for name, size in self.gemm.shape.items():
            tile = getattr(self, f"tile_{name}")
            if not 1 <= tile <= size:
                raise MappingError(f"mapping: tile_{name} must be 1..{size}, not {tile}")
        window = self.gemm.window
        if window and self.tile_k % window.taps:
            raise MappingError(f"mapping: tile_k={self.tile_k} must be a multiple of the {window.taps} kernel taps")
        if window and self.tile_m % (window.out_width if self.tile_m < window.image else window.image):
            raise MappingError(
                f"mapping: tile_m={self.tile_m} must be whole output rows of {window.out_width} pixels within one image "
                f"of {window.image}, or whole images"
            )

    @cached_property
    def k_segments(self) -> tuple[int, ...]:
        """Lengths of the folds along k, in the order in which the array accumulates them.

        Where k runs along the rows a fold holds at most ``rows`` of it; where k runs in time a fold holds a whole tile.
        """
        fold = self.array.rows if self.array.flow.rows == "k" else self.tile_k
        segments: list[int] = []
        for start in range(0, self.gemm.k, self.tile_k):
            stop = min(start + self.tile_k, self.gemm.k)
            cuts = [*range(start, stop, fold), stop]
            segments += [after - before for before, after in pairwise(cuts)]
        return tuple(segments)

    @cached_property
    def k_permutation(self) -> np.ndarray | None:
        """Where the array's i-th product along k stands in ONNX weight order (channel, kernel row, kernel column).

        int64 ``[k]``, or None where both orders are the same. With ``kernel_channel`` the channels of one tile are
        innermost: for each tile of channels, for each kernel position, for each channel of the tile.
        """
        window = self.gemm.window
        if window is None or window.taps == 1 or self.array.k_order == "channel_kernel":
            return None
        channels_per_tile = self.tile_k // window.taps
        index = np.arange(self.gemm.k, dtype=np.int64).reshape(window.channels, window.taps)
        blocks = [
            index[start : start + channels_per_tile].T.reshape(-1)
            for start in range(0, window.channels, channels_per_tile)
        ]
        return np.concatenate(blocks)
