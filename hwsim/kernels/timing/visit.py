"""Walking through nested tiles: the position on every level, and how it moves on.

Row 0 is the tile, row l - 1 the block of level l; columns are m start, m size, n start, n size.
"""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel


@kernel
def place(layer: Any, at: Any, level: int, levels: int, dim: int, start: int, tile: int) -> None:
    """Put ``level`` at ``start`` along m (``dim`` 0) or n (1), cut at the end of what is around it and at an image's border."""
    whole = layer.n if dim else layer.m
    end = whole if level == levels - 1 else at[level + 1, 2 * dim] + at[level + 1, 2 * dim + 1]
    stop = min(start + tile, end)
    if dim == 0 and layer.has_window:
        image = layer.out_width * layer.out_height
        if tile < image:
            stop = min(stop, (start // image + 1) * image)
    at[level, 2 * dim] = start
    at[level, 2 * dim + 1] = stop - start


@kernel
def enter(layer: Any, sizes: Any, at: Any, level: int, levels: int) -> None:
    """Put ``level`` and all inside it at their first position."""
    for inner in range(level, -1, -1):
        for dim in range(2):
            begin = 0 if inner == levels - 1 else at[inner + 1, 2 * dim]
            place(layer, at, inner, levels, dim, begin, sizes[inner, dim])


@kernel
def advance(layer: Any, sizes: Any, at: Any, levels: int) -> int:
    """Move on to the next tile; return the outermost level (0 is the tile) that moved, ``levels`` at the end."""
    for level in range(levels):
        inner_dim = 0 if sizes[level, 2] else 1
        for dim in (inner_dim, 1 - inner_dim):
            whole = layer.n if dim else layer.m
            begin = 0 if level == levels - 1 else at[level + 1, 2 * dim]
            end = whole if level == levels - 1 else begin + at[level + 1, 2 * dim + 1]
            after = at[level, 2 * dim] + at[level, 2 * dim + 1]
            if after < end:
                place(layer, at, level, levels, dim, after, sizes[level, dim])
                if level:
                    enter(layer, sizes, at, level - 1, levels)
                return level
            place(layer, at, level, levels, dim, begin, sizes[level, dim])
    return levels
