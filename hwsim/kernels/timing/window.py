"""How many elements of the ifmap lie under a tile of output pixels."""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel


@kernel
def touched_rows(layer: Any, first: int, last: int) -> int:
    """Return how many stored input rows the output rows ``first .. last - 1`` meet."""
    low = first * layer.stride - layer.pad
    high = (last - 1) * layer.stride - layer.pad + (layer.kernel - 1) * layer.dilation + 1
    low, high = max(low, 0), min(high, layer.in_height)
    if layer.dilation == 1 and layer.stride <= layer.kernel:
        if high <= low:
            return 0
        return (high - 1) // layer.spread - (low - 1) // layer.spread if low else (high - 1) // layer.spread + 1
    rows = 0
    for row in range(low, high):
        if row % layer.spread:
            continue
        for tap in range(layer.kernel):
            at = row + layer.pad - tap * layer.dilation
            if at % layer.stride == 0 and first <= at // layer.stride < last:
                rows += 1
                break
    return rows


@kernel
def ifmap_elements(layer: Any, start: int, size: int, k: int) -> int:
    """Return the distinct ifmap elements under ``size`` outputs from ``start`` and ``k`` of one group."""
    if not layer.has_window:
        return size * k
    image = layer.out_width * layer.out_height
    if size >= image:
        pixels = size // image * touched_rows(layer, 0, layer.out_height)
    else:
        first = start % image // layer.out_width
        pixels = touched_rows(layer, first, first + size // layer.out_width)
    return pixels * layer.stored_width * (k // layer.taps)


@kernel
def ifmap_runs(layer: Any, start: int, size: int, k: int, groups: int) -> int:
    """Return the contiguous runs of memory in the ifmap tiles of ``groups`` groups that travel together."""
    if not layer.has_window:
        return size * groups if k < layer.k else 1
    if k < layer.k or groups < layer.groups:
        return ifmap_elements(layer, start, size, layer.taps)
    return max(size // (layer.out_width * layer.out_height), 1)


@kernel
def ofmap_runs(layer: Any, m: int, n: int, groups: int) -> int:
    """Return the contiguous runs of memory in the ofmap tiles of ``groups`` groups."""
    if not layer.has_window:
        return m * groups if n < layer.n else 1
    return m if n < layer.n or groups < layer.groups else 1
