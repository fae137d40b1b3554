"""Groups that travel together: where a group is one tile, the memories hold many of them.

A depthwise convolution has a group per channel, each a tile of a few bytes; loading them one by one would pay the latency
of DRAM for every channel. As many as fit are loaded, computed and stored as one step: 1, 2, 4, ..., whichever ends first.
Traffic is the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.cost.pipeline import Pipeline
from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.legal import TileBits, fits, tile_bits
from hwsim.mapping.mapping import Mapping


def counts(mapping: Mapping, accelerator: Accelerator, psum_bits: int) -> list[int]:
    """Return how many groups may travel together: the powers of two below the group count of which the tiles fit."""
    gemm = mapping.gemm
    options = 2 ** np.arange(max(gemm.groups - 1, 0).bit_length() + 1, dtype=np.int64)
    m, k, n = (np.array([size]) for size in (gemm.m, gemm.k, gemm.n))
    one = tile_bits(gemm, m, k, n, psum_bits)
    many = TileBits(
        ifmap=one.ifmap * options, weight=one.weight * options, ofmap=one.ofmap * options, psum=one.psum * options
    )
    return [1, *options[1:][fits(accelerator, many)[1:]].tolist()]


def together(one: Pipeline, count: int) -> Pipeline:
    """Return the pipeline of one-step repeats with ``count`` of them in a step, fewer in the last."""
    sizes = np.full(-(-one.repeats // count), count, dtype=np.int64)
    sizes[-1] = one.repeats - count * (len(sizes) - 1)
    return replace(
        one,
        load=one.load * sizes,
        preload=np.repeat(one.preload, len(sizes)),
        idle=np.repeat(one.idle, len(sizes)),
        busy=one.busy * sizes + one.idle * (sizes - 1),
        store=one.store * sizes,
        repeats=1,
    )


def finish_time(one: Pipeline, mapping: Mapping, accelerator: Accelerator, psum_bits: int) -> int:
    """Return the cycle in which the last result is stored."""
    if one.load.size > 1 or one.repeats == 1:
        return one.finish_time()
    return min(
        one.finish_time() if count == 1 else together(one, count).finish_time()
        for count in counts(mapping, accelerator, psum_bits)
    )
