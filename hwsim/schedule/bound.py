"""What no execution of a tiling goes below: the array's own time and the traffic that the tiles imply, without steps.

With one level of memory the array's accesses are exact, and so is the traffic where a transfer may be any number of bits. With
blocks behind the first level tiles are counted as if nothing else cut them, and operands as if each passed a link once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.cost.links import DRAM, Link, load_links, store_links
from hwsim.cost.transfers import storage_bits
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.kernels.timing import COUNTS, Counts
from hwsim.mapping.candidates import Candidates
from hwsim.mapping.check import ORDERS
from hwsim.mapping.mapping import Block, Mapping
from hwsim.mapping.tiles import cuts, ifmap_elements
from hwsim.mapping.widths import has_column_constant, scale_bits
from hwsim.schedule.sizes import Sizes, ifmap_sizes, sizes_along


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Lower bounds over all tilings.

    Args:
        counts: float64 ``[orders, m, k, n, COUNTS]``, 0 where nothing is known.
        trips: int64 ``[m, k, n]``: tiles of one group.
        largest: int64 ``[m]``: ifmap elements per unit of k in the largest tile.
    """

    counts: np.ndarray
    trips: np.ndarray
    largest: np.ndarray


def lower_bounds(whole: Mapping, accelerator: Accelerator, datapath: Datapath, tiles: Candidates) -> Bounds:
    """Return the bounds of every combination of tile sizes; of ``whole`` all but the tile is read."""
    gemm, array = whole.gemm, whole.array
    axes = {"m": (-1, 1, 1), "k": (1, -1, 1), "n": (1, 1, -1)}
    along = {dim: _spread(sizes_along(whole, dim, getattr(tiles, dim)), axes[dim]) for dim in "mkn"}
    totals, largest = ifmap_sizes(whole, along["m"].tile.reshape(-1))
    blocked = max(memory.level for memory in accelerator.memory) > 1
    shape = np.broadcast_shapes(*(one.tile.shape for one in along.values()))
    counts = np.zeros((len(ORDERS), *shape, COUNTS))
    folds = {dim: one.folds for dim, one in along.items()}
    flow = array.flow
    stream = along[flow.time].stream
    if blocked:
        stream = np.asarray(whole.mac.stream_cycles(flow.time, gemm.shape[flow.time]))
    busy = folds[flow.rows] * folds[flow.columns] * stream * gemm.groups
    counts[..., Counts.WEIGHT_READS] = whole.mac.kept(gemm.k) * gemm.n * gemm.groups * folds["m"]
    counts[..., Counts.IFMAP_READS] = gemm.m * gemm.k * gemm.groups * folds["n"]
    if gemm.has_scales:
        columns = folds["n"] if gemm.shares_scales else gemm.n
        along_k = len(gemm.segments) if gemm.is_decoded else folds["k"]
        counts[..., Counts.SCALE_READS] = along_k * columns * folds["m"] * gemm.groups
    preloaded = datapath.bias == "start" and has_column_constant(gemm, datapath)
    counts[..., Counts.PSUM_ACCESSES] = gemm.m * gemm.n * gemm.groups * (folds["k"] + preloaded)
    loads = [link for operand in ("weight", "ifmap") for link in load_links(accelerator, whole, operand)]
    stores = store_links(accelerator, whole)
    pixels = totals.reshape(axes["m"])
    if blocked:
        unit = gemm.window.taps if gemm.window else 1
        pixels = ifmap_elements(gemm, np.array([0]), np.array([gemm.m]), np.array([unit]))
    scales = scale_bits(gemm, datapath) * (len(gemm.segments) if blocked else along["k"].scales)
    for position, order in enumerate(ORDERS):
        here = counts[position]
        channels: dict[str, np.ndarray] = {}
        for j, link in enumerate(loads):
            times = 1 if blocked else _times(along, order, link.operand)
            bits = (_loaded(whole, link, pixels) + _scales(whole, link, scales)) * times
            here[..., Counts.MOVED + j] = bits
            _note(here, channels, link, bits)
        for j, link in enumerate(stores, len(loads)):
            bits = np.asarray(gemm.m * gemm.n * gemm.groups * storage_bits(whole, "ofmap"))
            here[..., Counts.MOVED + j] = bits
            _note(here, channels, link, bits)
        here[..., Counts.END] = busy + _first_weights(whole, loads, along)
        for cycles in channels.values():
            np.maximum(here[..., Counts.END], cycles, out=here[..., Counts.END])
    trips = along["m"].trips * along["k"].trips * along["n"].trips
    return Bounds(counts=counts, trips=trips, largest=largest)


def nest_bounds(whole: Mapping, accelerator: Accelerator, nest: tuple[Block, ...]) -> np.ndarray:
    """Return what the outermost block of a nest implies, float64 ``[COUNTS]``: traffic with DRAM, and the cycles it takes."""
    counts = np.zeros(COUNTS)
    if not nest:
        return counts
    gemm, block = whole.gemm, nest[0]
    m_starts, m_sizes = np.array(cuts(gemm, "m", block.m)).T
    n_trips = len(cuts(gemm, "n", block.n))
    unit = gemm.window.taps if gemm.window else 1
    pixels = ifmap_elements(gemm, m_starts, m_sizes, np.full(len(m_starts), unit)).sum()
    times = {
        "ifmap": n_trips if block.order[0] == "n" and len(m_starts) > 1 else 1,
        "weight": len(m_starts) if block.order[0] == "m" and n_trips > 1 else 1,
    }
    channels: dict[str, np.ndarray] = {}
    loads = [link for operand in ("weight", "ifmap") for link in load_links(accelerator, whole, operand)]
    for j, link in enumerate(loads):
        if link.source == DRAM and link.level == block.level:
            bits = _loaded(whole, link, pixels) * times[link.operand]
            counts[Counts.MOVED + j] = bits
            _note(counts, channels, link, bits)
    counts[Counts.DRAM_BITS] = 0  # of some operands only
    counts[Counts.END] = max((int(cycles) for cycles in channels.values()), default=0)
    return counts


def _spread(sizes: Sizes, axis: tuple[int, ...]) -> Sizes:
    fields = ("tile", "trips", "folds", "stream", "scales")
    return Sizes(**{name: getattr(sizes, name).reshape(axis) for name in fields})


def _times(along: dict[str, Sizes], order: str, operand: str) -> np.ndarray:
    """Return how often an operand passes its links: once if its tile stays while the other dimension runs."""
    own, other = ("m", "n") if operand == "ifmap" else ("n", "m")
    stays = along["k"].trips == 1
    if order[0] == other:
        stays = stays & (along[own].trips == 1)
    return np.where(stays, 1, along[other].trips)


def _loaded(whole: Mapping, link: Link, pixels: np.ndarray) -> np.ndarray:
    """Return the bits of an input that pass a link if it passes once."""
    gemm, bits = whole.gemm, storage_bits(whole, link.operand)
    if link.operand == "weight":
        return np.asarray(whole.mac.kept(gemm.k) * gemm.n * gemm.groups * bits)
    unit = gemm.window.taps if gemm.window else 1
    return np.asarray(pixels * (gemm.k // unit) * gemm.groups * bits)


def _scales(whole: Mapping, link: Link, bits: np.ndarray | int) -> np.ndarray | int:
    """Return the bits of scales that pass a link if it passes once, of ``bits`` in one column."""
    if link.operand != "weight":
        return 0
    return bits * whole.gemm.groups * (1 if whole.gemm.shares_scales else whole.gemm.n)


def _note(counts: np.ndarray, channels: dict[str, np.ndarray], link: Link, bits: np.ndarray) -> None:
    """Add a link's bits to DRAM's, and its cycles to those of its channel."""
    if DRAM in (link.source, link.target):
        counts[..., Counts.DRAM_BITS] += bits
    cycles = bits // min(link.source_bits, link.target_bits)
    channels[link.channel] = channels.get(link.channel, np.asarray(0)) + cycles


def _first_weights(whole: Mapping, loads: list[Link], along: dict[str, Sizes]) -> np.ndarray:
    """Return the cycles until the first tile of weights is there."""
    bits = whole.mac.kept(along["k"].tile) * along["n"].tile * storage_bits(whole, "weight")
    links = [link for link in loads if link.operand == "weight"]
    inner = links[-1:]  # with blocks the outer links carry more
    return sum(
        (bits // min(link.source_bits, link.target_bits) + link.latency_cycles for link in inner), np.zeros_like(bits)
    )
