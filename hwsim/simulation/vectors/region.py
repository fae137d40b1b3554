"""Which part of a large layer is written: the first groups, rows of m and columns of n, all of k."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np

from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The outputs that are written: how many groups, rows and columns, counted from the first, of all images together.

    k is never cut, so that every output is complete. Several images follow one another along m, or along the groups where
    both operands of a product are computed.
    """

    groups: int
    m: int
    n: int


def region_within(mapping: Mapping, whole: Region, limit: int) -> Region:
    """Return the largest part of ``whole`` of which no array has more than ``limit`` words.

    Groups are left out first, then rows of m (pixels), then columns of n (output channels). At least one output is kept,
    whatever its k asks for.
    """
    part = whole
    for key in ("groups", "m", "n"):
        if words(mapping, part) > limit:
            part = _cut(mapping, part, key, limit)
    return part


def _cut(mapping: Mapping, part: Region, key: str, limit: int) -> Region:
    """Return ``part`` with the largest size of one dimension that stays within ``limit``, at least 1."""
    sizes = range(1, getattr(part, key) + 1)
    most = bisect_right(sizes, limit, key=lambda size: words(mapping, replace(part, **{key: size})))
    return replace(part, **{key: max(1, most)})


def words(mapping: Mapping, region: Region) -> int:
    """Return the words of the largest array of ``region``, both in matrix order and in the array's."""
    array = mapping.array
    sizes = {dim: tiles_within(mapping, region, dim)[1] for dim in "mkn"}
    rows = int((-(-sizes[array.flow.rows] // array.rows)).sum())
    columns = int((-(-sizes[array.flow.columns] // array.columns)).sum())
    streams = sizes[array.flow.time]
    return region.groups * max(
        rows * columns * len(streams) * array.rows * array.columns,
        rows * columns * int(streams.sum()) * max(array.rows, array.columns),
        len(mapping.k_segments) * region.m * region.n,
        mapping.gemm.k * max(region.m, region.n),
    )


def tiles_within(mapping: Mapping, region: Region, dim: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (starts, sizes) of the tiles along ``dim`` that ``region`` touches, image after image, int64 ``[tiles]``.

    Along k these are the folds, which the rows of the array and the segments of scales cut out of the tiles.
    """
    gemm = mapping.gemm
    if dim == "k":
        folds = np.array(mapping.k_segments, dtype=np.int64)
        return np.cumsum(folds) - folds, folds
    spans = np.array(cuts(gemm, dim, getattr(mapping, f"tile_{dim}")), dtype=np.int64)
    starts, sizes = spans[:, 0], spans[:, 1]
    end = getattr(region, dim)
    if dim == "m":
        images = -(-end // gemm.m)
        starts, sizes = (np.arange(images)[:, None] * gemm.m + starts).reshape(-1), np.tile(sizes, images)
    inside = starts < end
    return starts[inside], np.minimum(sizes[inside], end - starts[inside])
