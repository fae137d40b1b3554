"""Choose the mapping of one GEMM: the legal candidate with the least cycles, energy, or their product.

Branch and bound over all candidates of ``hwsim.mapping.candidates``: they are taken in the order of a lower bound and
evaluated exactly until no bound is below the best found. Ties in cycles go to the least DRAM traffic, ties in energy to the
fewest cycles. A tiling that is legal at some width is legal at every smaller one and not slower there, so the latency
chosen for cycles never rises when a width falls. (One exception: an output-stationary array that leaves in one piece,
``drain_start = when_complete``, hides its drain only under long streams, and a MAC mode may shorten them.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from hwsim.cost.prices import prices_of
from hwsim.errors import MappingError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.kernels.timing import COUNTS, Counts, evaluate
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import mac_shape, on_datapath
from hwsim.schedule.bound import nest_bounds
from hwsim.schedule.records import Records, block_records, part_records, records_of, tiling_record
from hwsim.schedule.shortage import too_small
from hwsim.schedule.tries import Tries, tries_of

MAX_STEPS = 200_000
Objective = Literal["cycles", "energy", "edp"]
OBJECTIVES: tuple[Objective, ...] = ("cycles", "energy", "edp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen for a task, and what it costs.

    Args:
        mapping: of array work; None elsewhere.
        cycles: of the layer alone.
        dram_bits: that cross the chip's edge.
        energy_pj: the part of the energy that the choice decides (0 where cycles are minimized).
    """

    mapping: Mapping | None = None
    cycles: int = 0
    dram_bits: int = 0
    energy_pj: float = 0.0


def choose_mapping(
    gemm: Gemm, accelerator: Accelerator, datapath: Datapath, objective: Objective = "cycles"
) -> Mapping:
    """Return the best mapping of ``gemm`` with nothing on chip before or after it, see ``choose``."""
    mapping = choose(gemm, accelerator, datapath, objective=objective).mapping
    assert mapping is not None
    return mapping


@lru_cache(maxsize=65536)
def choose(
    gemm: Gemm,
    accelerator: Accelerator,
    datapath: Datapath,
    *,
    objective: Objective = "cycles",
    ifmap_on_chip: bool = False,
    ofmap_on_chip: bool = False,
    reserved_bytes: int = 0,
) -> Choice:
    """Return the best mapping of ``gemm`` and its cost.

    Args:
        gemm: the work.
        accelerator: the machine.
        datapath: of this layer.
        objective: what is minimized: ``cycles``, ``energy``, or ``edp``, their product.
        ifmap_on_chip: the ifmap does not pass through DRAM.
        ofmap_on_chip: the ofmap does not.
        reserved_bytes: of the memory in which activations stay between layers, taken by them.

    Raises:
        MappingError: no tile fits the on-chip memories (or only such as would cut the layer into over MAX_STEPS tiles).
    """
    whole = whole_product(gemm, accelerator, datapath, ifmap_on_chip=ifmap_on_chip, ofmap_on_chip=ofmap_on_chip)
    records, prices = records_of(whole, accelerator, datapath), _prices(whole, accelerator, datapath, objective)
    tries = tries_of(whole, accelerator, datapath, reserved_bytes, MAX_STEPS)
    mapping = _best(records, tries, prices, objective, accelerator)
    if mapping is None:
        raise MappingError(too_small(whole, accelerator, datapath, reserved_bytes, MAX_STEPS))
    return _choice(mapping, records, prices)


def whole_product(
    gemm: Gemm,
    accelerator: Accelerator,
    datapath: Datapath,
    *,
    ifmap_on_chip: bool = False,
    ofmap_on_chip: bool = False,
) -> Mapping:
    """Return the mapping whose one tile is all of ``gemm``, whether it fits or not."""
    return Mapping(
        gemm=on_datapath(gemm, datapath),
        array=accelerator.array,
        tile_m=gemm.m,
        tile_k=gemm.k,
        tile_n=gemm.n,
        mac=mac_shape(gemm, datapath),
        ifmap_on_chip=ifmap_on_chip,
        ofmap_on_chip=ofmap_on_chip,
    )


def choice_of(mapping: Mapping, accelerator: Accelerator, datapath: Datapath, objective: Objective) -> Choice:
    """Return a mapping with its cost, as ``choose`` returns the best one."""
    gemm, kept = mapping.gemm, {name: getattr(mapping, name) for name in ("ifmap_on_chip", "ofmap_on_chip")}
    whole = whole_product(gemm, accelerator, datapath, **kept)
    return _choice(mapping, records_of(whole, accelerator, datapath), _prices(whole, accelerator, datapath, objective))


def _choice(mapping: Mapping, records: Records, prices: np.ndarray) -> Choice:
    counts = counts_of(records, mapping)
    return Choice(
        mapping=mapping,
        cycles=int(counts[Counts.END]),
        dram_bits=int(counts[Counts.DRAM_BITS]),
        energy_pj=float(counts @ prices[:COUNTS] + prices[COUNTS]),
    )


def counts_of(records: Records, mapping: Mapping, prefetched: int = 0) -> np.ndarray:
    """Return what the compiled timing counts for one mapping, int64 ``[COUNTS]``."""
    counts = np.zeros(COUNTS, np.int64)
    r = records
    evaluate(
        r.layer, r.machine, r.memories, r.loads, r.stores, tiling_record(mapping, prefetched),
        block_records(mapping, r.levels), part_records(mapping.gemm, mapping.tile_k), -1, counts,
    )  # fmt: skip
    return counts


def _best(
    records: Records, tries: Tries, prices: np.ndarray, objective: Objective, accelerator: Accelerator
) -> Mapping | None:
    """Return the best legal mapping, None where there is none."""
    nest, tile = np.nonzero(tries.inside)
    if not len(nest):
        return None
    least = [
        _values(np.maximum(tries.bounds[inside], nest_bounds(tries.whole, accelerator, blocks)), prices, objective)
        for inside, blocks in zip(tries.inside, tries.nests, strict=True)
    ]
    first, second = (np.concatenate([values[side] for values in least]) for side in (0, 1))
    best: tuple[float, float] = (np.inf, np.inf)
    chosen = None
    parts: dict[int, np.ndarray] = {}
    counts = np.zeros(COUNTS, np.int64)
    r = records
    for i in np.lexsort((second, first)).tolist():
        if first[i] > best[0]:
            break
        if (first[i], second[i]) >= best:
            continue
        limit = int(best[0]) if objective == "cycles" and chosen is not None else -1
        tiling, blocks = tries.tilings[tile[i]], tries.blocks[nest[i]]
        along = int(tiling["k"])
        if along not in parts:
            parts[along] = part_records(tries.whole.gemm, along)
        done = evaluate(
            r.layer, r.machine, r.memories, r.loads, r.stores, tiling, blocks, parts[along], limit, counts
        )  # fmt: skip
        if not done:
            continue
        value, then = (float(one) for one in _values(counts, prices, objective))
        if (value, then) < best:
            best, chosen = (value, then), i
    return None if chosen is None else tries.mapping(int(nest[chosen]), int(tile[chosen]))


def _values(counts: np.ndarray, prices: np.ndarray, objective: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Return (what is minimized, what breaks ties) of ``counts [..., COUNTS]``."""
    cycles = counts[..., Counts.END]
    if objective == "cycles":
        return cycles, counts[..., Counts.DRAM_BITS]
    energy = counts @ prices[:COUNTS] + prices[COUNTS]
    return (energy if objective == "energy" else energy * cycles), cycles


def _prices(whole: Mapping, accelerator: Accelerator, datapath: Datapath, objective: Objective) -> np.ndarray:
    """Return pJ per count and of the layer whatever its mapping is, float64 ``[COUNTS + 1]``; 0 where cycles are minimized."""
    vector = np.zeros(COUNTS + 1)
    if objective == "cycles":
        return vector
    prices = prices_of(whole, accelerator, datapath)
    vector[COUNTS] = prices.fixed
    vector[Counts.END] = prices.cycle
    vector[Counts.WEIGHT_READS], vector[Counts.IFMAP_READS] = prices.weight_read, prices.ifmap_read
    vector[Counts.PSUM_ACCESSES], vector[Counts.CONSTANT_READS] = prices.psum_access, prices.constant_read
    vector[Counts.SCALE_READS], vector[Counts.POSITION_READS] = prices.scale_read, prices.position_read
    moved = (*prices.loads, *prices.stores)
    vector[Counts.MOVED : Counts.MOVED + len(moved)] = moved
    return vector
