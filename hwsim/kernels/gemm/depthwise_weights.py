"""Weights of a depthwise convolution, packed."""

from __future__ import annotations

import numpy as np

from hwsim.kernels.gemm.depthwise import DEPTHWISE_DRIVERS, tap_panels
from hwsim.kernels.gemm.route import AVX2, PORTABLE_WORDS, ROUTES, candidates
from hwsim.kernels.gemm.taps import CHANNELS
from hwsim.kernels.gemm.weights import (
    INT32_LIMIT,
    PackedWeights,
    Part,
    are_int16,
    largest_centred,
    reach_of,
)
from hwsim.kernels.operands import magnitude


def pack_depthwise(
    w: np.ndarray, code_range: tuple[int, int], zero_point: int, route: str | None
) -> PackedWeights | None:
    """Return weights ``[taps, channels]`` packed for the depthwise loop: one group, a column per channel.

    Byte routes and those of 512 bits take the 256-bit loop here. None where operands leave int16, sums may leave 32 bits,
    or BLAS is asked for: the general route serves then, a group per channel.
    """
    asked = candidates(route)
    if not asked or not w.size or not are_int16(w, code_range, zero_point):
        return None
    reach = reach_of(w[None], largest_centred(code_range, zero_point), magnitude(w))
    if reach > INT32_LIMIT:
        return None
    chosen = ROUTES[AVX2 if asked[0].is_automatic and ROUTES[AVX2].is_runnable else PORTABLE_WORDS]
    assert chosen.name in DEPTHWISE_DRIVERS
    taps, channels = w.shape
    columns = -(-channels // CHANNELS) * CHANNELS
    sums = np.zeros((1, columns), np.int64)
    sums[0, :channels] = w.sum(axis=0, dtype=np.int64)
    panels = tap_panels(w)
    panels.flags.writeable = False
    part = Part(
        k=slice(0, taps),
        panels=panels,
        short=np.zeros(0, np.uint8),
        columns=columns,
        words=-(-taps // 2),
        column_sums=sums,
        offsets=np.zeros((1, 0), np.int32),
    )
    return PackedWeights(
        groups=1,
        k=taps,
        n=channels,
        is_grouped=False,
        code_range=code_range,
        zero_point=zero_point,
        reach=reach,
        is_depthwise=True,
        route=chosen,
        parts=(part,),
        weights=np.zeros((0, taps, channels), np.int8),
        floats=(),
    )
