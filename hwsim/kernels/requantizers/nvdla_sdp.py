"""Fast twin of ``hwsim.numerics.requantizers.nvdla_sdp``: ``fixed_point`` behind the offset, with halves away from zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import fixed_point
from hwsim.kernels.requantizers._work import Codes, Columns, Terms, shaped
from hwsim.numerics.requantizers.nvdla_sdp import NARROW, WIDE, offset_of
from hwsim.numerics.rounding import Rounding

INT64_SAFE = 1 << 62


def _convert(work: Columns) -> Codes | None:
    """Round, saturate to 17 bits and to the output; None for outputs wider than 17 bits."""
    if not -NARROW < work.low <= work.high < NARROW - 1:
        return None
    return fixed_point.rounded(replace(work, zero_point=0), Rounding.HALF_AWAY)


def requantize(work: Columns) -> Codes | None:
    """Return codes ``[rows, n]`` and the counts clipped at ``low`` and ``high``; None for outputs wider than 17 bits.

    Raises:
        HwsimError: an output zero point that 32 bits of offset cannot stand for.
    """
    pairs = zip(work.multiplier.tolist(), work.shift.tolist(), strict=True)
    offsets = np.array([offset_of(work.zero_point, factor, places) for factor, places in pairs], np.int64)
    entered = work.acc if magnitude(work.acc) < WIDE else np.clip(work.acc, -WIDE, WIDE - 1)
    return _convert(replace(work, acc=entered - offsets if offsets.any() else entered))


def rescale_sum(terms: Terms) -> Codes | None:
    """Return codes of the tensors' shape and the two clip counts; None where 64 bits or 17-bit outputs would not do."""
    sums, moved = terms.total(), terms.zero_point << terms.constants.shift
    if sums is None or magnitude(sums) + abs(moved) >= INT64_SAFE:
        return None
    return shaped(_convert(terms.column(sums + moved)), sums.shape)
