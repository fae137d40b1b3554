"""Tile and block sizes worth trying for one GEMM: every balanced cut of every dimension.

A dimension cut into p tiles of whole units is cut best into p nearly equal ones: they need the least memory and leave no tile
that is almost empty. So all distinct sizes ``ceil(units / p)`` are tried, about ``2 sqrt(units)`` of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.check import ORDERS
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Block
from hwsim.units import ceil_div

BLOCK_PARTS = (1, 2, 4, 8, 16, 32, 64)
NESTED_PARTS = (1, 4, 16)  # with several levels of blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Tile sizes in elements along each dimension, ascending."""

    m: tuple[int, ...]
    k: tuple[int, ...]
    n: tuple[int, ...]


def candidates(gemm: Gemm, array: SystolicArray, mac: MacShape = ONE_PRODUCT) -> Candidates:
    """Return the balanced cuts of each dimension, in units of the array's folds.

    With a window, m counts whole output rows up to an image and then whole images, and k counts whole channels. The
    smallest unit of every dimension is among them, so that something fits if anything does. Where scales change along k,
    runs of equally many whole segments are tried, too.
    """
    flow, window = array.flow, gemm.window
    units = {dim: mac.held(dim, count) for dim, count in ((flow.rows, array.rows), (flow.columns, array.columns))}
    units[flow.time] = mac.held(flow.time, 1)
    units = {dim: max(unit, 1) for dim, unit in units.items()}
    if window is None:
        m, k = _balanced(gemm.m, units["m"]), _whole_blocks(_balanced(gemm.k, units["k"]), mac.block)
    else:
        rows = [size * window.out_width for size in _balanced(window.out_height, 1)]
        m = sorted({*rows, *(count * window.image for count in _balanced(window.batch, 1))})
        k = [count * window.taps for count in _whole_blocks(_balanced(window.channels, 1), mac.block)]
    if gemm.has_scales:
        k = sorted({*k, *_whole_segments(gemm.segments)})
    return Candidates(m=tuple(m), k=tuple(k), n=tuple(_balanced(gemm.n, units["n"])))


def block_candidates(gemm: Gemm, levels: int) -> list[tuple[Block, ...]]:
    """Return the nests of blocks for memories of ``levels`` levels, outermost first; one empty nest for one level."""
    nests: list[tuple[Block, ...]] = [()]
    for level in range(levels, 1, -1):
        parts = BLOCK_PARTS if levels == 2 else NESTED_PARTS
        nests = [(*nest, block) for nest in nests for block in _blocks(gemm, level, nest, parts)]
    return nests


def group_candidates(gemm: Gemm, most_in_array: int) -> list[tuple[int, int]]:
    """Return (groups that travel together, groups that share the array): one by one first, then powers of two and all."""
    counts = sorted({min(2**i, gemm.groups) for i in range(gemm.groups.bit_length() + 1)})
    return [(1, 1)] + [(n, shared) for n in counts for shared in sorted({1, min(n, most_in_array)}) if n > 1]


def _blocks(gemm: Gemm, level: int, around: tuple[Block, ...], of: tuple[int, ...]) -> list[Block]:
    m, n = (around[-1].m, around[-1].n) if around else (gemm.m, gemm.n)
    window = gemm.window
    if window is None:
        sizes = {1, *(ceil_div(gemm.m, parts) for parts in of)}
    else:
        sizes = {window.out_width, *(ceil_div(window.out_height, parts) * window.out_width for parts in of)}
        sizes |= {ceil_div(window.batch, parts) * window.image for parts in of}
    ms = sorted(size for size in sizes | {m} if size <= m)
    ns = sorted(size for size in {1, n, *(ceil_div(gemm.n, parts) for parts in of)} if size <= n)
    return [
        Block(level=level, m=bm, n=bn, order=order)
        for bm, bn, order in product(ms, ns, ORDERS)
        if order == "mnk" or bm < m or bn < n
    ]


def _balanced(size: int, unit: int) -> list[int]:
    """Return the sizes of a dimension cut into balanced parts of whole units, and 1.

    >>> _balanced(48, 16), _balanced(10, 1)
    ([1, 16, 32, 48], [1, 2, 3, 4, 5, 10])
    """
    units = ceil_div(size, unit)
    return sorted({1} | {min(ceil_div(units, parts) * unit, size) for parts in range(1, units + 1)})


def _whole_segments(segments: tuple[int, ...]) -> list[int]:
    """Return the sizes of tiles that hold balanced numbers of whole segments.

    >>> _whole_segments((2, 2, 3, 1))
    [3, 4, 8]
    """
    counts = _balanced(len(segments), 1)
    return sorted({max(sum(segments[i : i + n]) for i in range(0, len(segments), n)) for n in counts})


def _whole_blocks(sizes: list[int], block: int) -> list[int]:
    """Round sizes up to whole blocks of sparse weights; the dimension is whole blocks, too."""
    return sorted({ceil_div(size, block) * block for size in sizes})
