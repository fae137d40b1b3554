"""Choose the mapping of one GEMM: the legal candidate with the least cycles, energy, or their product.

Branch and bound over all candidates of ``hwsim.mapping.candidates``: they are taken in the order of a lower bound and
evaluated exactly until no bound is below the best found. Ties in cycles go to the least DRAM traffic, ties in energy to the
fewest cycles. A tiling that is legal at some width is legal at every smaller one and not slower there, so the latency
chosen for cycles never rises when a width falls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from hwsim.cost.prices import Prices, prices_of
from hwsim.errors import MappingError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.kernels.timing import BLOCK, COUNTS, TILING, Counts, evaluate, rank, search
from hwsim.mapping.candidates import block_candidates, candidates, group_candidates
from hwsim.mapping.check import most_groups_in_array
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import ORDERS, Mapping
from hwsim.mapping.widths import mac_shape
from hwsim.schedule.records import Records, block_records, records_of, tiling_record
from hwsim.schedule.shortage import too_small

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


def choose_mapping(gemm: Gemm, accelerator: Accelerator, datapath: Datapath, objective: Objective = "cycles") -> Mapping:
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
        ifmap_on_chip, ofmap_on_chip: what does not pass through DRAM.
        reserved_bytes: of the memory in which activations stay between layers, taken by them.

    Raises:
        MappingError: no tile fits the on-chip memories (or only such as would cut the layer into over MAX_STEPS tiles).
    """
    whole = Mapping(
        gemm=gemm,
        array=accelerator.array,
        tile_m=gemm.m,
        tile_k=gemm.k,
        tile_n=gemm.n,
        mac=mac_shape(gemm, datapath),
        ifmap_on_chip=ifmap_on_chip,
        ofmap_on_chip=ofmap_on_chip,
    )
    records = records_of(whole, accelerator, datapath)
    prices = np.zeros(COUNTS + 1)
    if objective != "cycles":
        prices = _price_vector(prices_of(whole, accelerator, datapath))
    home = accelerator.path_of("ofmap")[-1].name
    room = np.array([memory.size_bytes - (memory.name == home) * reserved_bytes for memory in accelerator.memory])
    kept = np.array([[memory.name == home and on for on in (ifmap_on_chip, ofmap_on_chip)] for memory in accelerator.memory])
    mapping = _best(records, whole, kept, room, prices, objective)
    if mapping is None:
        raise MappingError(too_small(whole, accelerator, datapath, reserved_bytes, MAX_STEPS))
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
        block_records(mapping, r.levels), -1, counts,
    )  # fmt: skip
    return counts


def _best(
    records: Records, whole: Mapping, kept: np.ndarray, room: np.ndarray, prices: np.ndarray, objective: Objective
) -> Mapping | None:
    """Return the best legal candidate, None where there is none."""
    gemm = whole.gemm
    sizes = candidates(gemm, whole.array, whole.mac)
    nests = block_candidates(gemm, records.levels)
    blocks = np.zeros((len(nests), max(records.levels - 1, 1)), BLOCK)
    for row, nest in zip(blocks, nests, strict=True):
        for block in nest:
            row[block.level - 2] = (block.m, block.n, ORDERS.index(block.order))
    groups = group_candidates(gemm, most_groups_in_array(whole))
    most = len(sizes.m) * len(sizes.k) * len(sizes.n) * len(ORDERS) * len(nests) + len(ORDERS) * len(groups)
    index, values = np.zeros((most, 6), np.int32), np.zeros((most, 2))
    r, number = records, OBJECTIVES.index(objective)
    tries = (
        r.layer, r.machine, r.memories, r.loads, r.stores,
        np.array(sizes.m), np.array(sizes.k), np.array(sizes.n), np.array(groups), blocks, np.zeros(1, TILING),
    )  # fmt: skip
    found = rank(*tries, kept, room, prices, number, MAX_STEPS, index, values)
    if not found:
        return None
    by_value = np.lexsort((values[:found, 1], values[:found, 0]))
    index, values = index[:found][by_value], values[:found][by_value]
    im, ik, i_n, ig, order, nest_at = index[
        search(*tries, prices, number, index, values, np.zeros(COUNTS, np.int64))
    ].tolist()
    return replace(
        whole,
        tile_m=sizes.m[im],
        tile_k=sizes.k[ik],
        tile_n=sizes.n[i_n],
        order=ORDERS[order],
        blocks=nests[nest_at],
        groups_together=groups[ig][0],
        groups_in_array=groups[ig][1],
    )


def _price_vector(prices: Prices) -> np.ndarray:
    vector = np.zeros(COUNTS + 1)
    vector[COUNTS] = prices.fixed
    vector[Counts.END] = prices.cycle
    vector[Counts.WEIGHT_READS], vector[Counts.IFMAP_READS] = prices.weight_read, prices.ifmap_read
    vector[Counts.PSUM_ACCESSES] = prices.psum_access
    moved = (*prices.loads, *prices.stores)
    vector[Counts.MOVED : Counts.MOVED + len(moved)] = moved
    return vector
