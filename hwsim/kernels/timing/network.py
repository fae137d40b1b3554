"""All array layers of a network in one call, each with the idle time of DRAM that the layer before left to its weights."""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel
from hwsim.kernels.timing.array import ceil_div, kept
from hwsim.kernels.timing.evaluate import IDLE_TAIL, evaluate
from hwsim.kernels.timing.records import COUNTS

FROM_ARRAY = -1


@kernel
def enough(layer: Any, machine: Any, link: Any, tiling: Any) -> int:
    """Return idle cycles from which on more of them change nothing: the first weights, their constants and the latency fit in."""
    k = tiling.k if machine.levels == 1 else layer.k
    n = tiling.n if machine.levels == 1 else layer.n
    scales = layer.segments * (1 if layer.shares_scales else n) * layer.scale_bits
    constants = layer.n * layer.constant_bits + layer.position_words * layer.position_bits
    bits = kept(machine, k) * n * layer.weight_bits + constants + scales + 5 * link.burst
    return ceil_div(bits * tiling.groups_together + layer.table_bits, link.bits) + 1 + link.latency


@kernel
def evaluate_network(
    layers: Any, machines: Any, memories: Any, loads: Any, stores: Any, links: Any, tilings: Any, blocks: Any,
    parts: Any, begins: Any, before: Any, same: Any, counts: Any,
) -> None:  # fmt: skip
    """Fill ``counts`` (int64 ``[layers, COUNTS]``) for a mapping of every layer.

    Args:
        layers: array of ``LAYER`` ``[layers]``.
        machines: array of ``MACHINE`` ``[layers]``.
        memories: array of ``MEMORY``.
        loads: array of ``LINK`` ``[layers, most]``, the first of weights from DRAM.
        stores: array of ``LINK`` ``[layers, most]``.
        links: int64 ``[layers, 2]``: how many of ``loads`` and ``stores`` hold.
        tilings: array of ``TILING`` ``[layers]``; ``prefetched`` is set here.
        blocks: array of ``BLOCK`` ``[layers, levels - 1]``.
        parts: array of ``PART``, of all layers one after the other.
        begins: int64 ``[layers + 1]``: where the parts of each layer begin.
        before: int64 ``[layers]``: idle cycles of DRAM at the end of the layer before that may bring weights; FROM_ARRAY
            where that is the array layer before in this list.
        same: int64 ``[layers]``: the first layer with equal records, whose result is taken where its idle cycles were as good.
        counts: the results.
    """
    for i in range(len(layers)):
        idle = before[i]
        if idle == FROM_ARRAY:
            idle = counts[i - 1, IDLE_TAIL]
        tiling = tilings[i]
        first = loads[i, 0]
        if idle:
            idle = min(idle, enough(layers[i], machines[i], first, tiling))
        tiling.prefetched = idle
        twin = same[i]
        if twin < i and tilings[twin].prefetched == idle:
            for j in range(COUNTS):
                counts[i, j] = counts[twin, j]
            continue
        evaluate(
            layers[i], machines[i], memories, loads[i, : links[i, 0]], stores[i, : links[i, 1]], tiling, blocks[i],
            parts[begins[i] : begins[i + 1]], -1, counts[i],
        )  # fmt: skip
