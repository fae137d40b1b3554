"""From packed weights and a feature map to one call of a compiled driver."""

from __future__ import annotations

import numpy as np

from hwsim.kernels.gemm.depthwise import DEPTHWISE_DRIVERS
from hwsim.kernels.gemm.drive import DRIVERS, Blocks
from hwsim.kernels.gemm.finish import SUMS, Finish
from hwsim.kernels.gemm.gather import Source
from hwsim.kernels.gemm.route import Route
from hwsim.kernels.gemm.weights import PackedWeights, Part

BLOCK_ROWS = 96
BLOCK_COLUMNS = 256
BLOCK_BYTES = 128 * 1024  # of gathered activations: a part of the second cache
LINE_WORDS = 16

Tables = tuple[np.ndarray, ...]

NO_CODES, NO_SUMS = np.zeros(0, np.uint8), np.zeros(0, np.int32)
NO_FLOAT32: Tables = (np.zeros(0, np.float32),)
NO_FIXED_POINT: Tables = (NO_SUMS, *(np.zeros(0, np.int64) for _ in range(4)), NO_SUMS)
ONLY_SUMS = Finish(mode=SUMS, floor=0, ceiling=0, zero=0)


def launch(
    codes: np.ndarray,
    source: Source,
    packed: PackedWeights,
    part: Part,
    *,
    out_group: int,
    out_row: int,
    pad: int = 0,
    bias: np.ndarray | None = None,
    holds_bias: bool = True,
    finish: Finish = ONLY_SUMS,
    float32: Tables = NO_FLOAT32,
    fixed_point: Tables = NO_FIXED_POINT,
    out_codes: np.ndarray = NO_CODES,
    out_sums: np.ndarray = NO_SUMS,
) -> np.ndarray:
    """Run one part of k; return int64 counts below, counts above, the smallest and the largest sum (with 0).

    Args:
        codes: uint8, int8 or int16, contiguous.
        source: where they lie; ``flip``, ``centre`` and ``pad`` are set here.
        packed: the weights.
        part: which of their parts.
        out_group: output elements from group to group.
        out_row: output elements from row to row.
        pad: the code of padding.
        bias: int64 ``[groups, n]``, added to the sums (modulo 2^32).
        holds_bias: whether the smallest and the largest sum are those with the bias.
        finish: what becomes of the sums.
        float32: its tables per column, whole tiles.
        fixed_point: likewise.
        out_codes: uint8 or int8, contiguous, written unless ``finish`` keeps the sums.
        out_sums: int32, contiguous, written where it does.
    """
    route = packed.route
    assert route is not None
    flip = 128 if codes.dtype == np.int8 else 0
    zero = packed.zero_point + flip
    is_raw = packed.is_depthwise or route.word is np.uint8  # codes are multiplied with their zero point
    # What joins the sums, and what joins them when they are counted.
    add = np.zeros((2, packed.groups, part.columns), np.int64)
    if bias is not None:
        add[: 2 if holds_bias else 1, :, : packed.n] = bias
    if is_raw:
        add -= zero * part.column_sums
    centre = 0 if is_raw else zero
    source = source._replace(flip=flip, centre=centre, pad=pad + flip - centre)
    counts = np.zeros(4, np.int64)
    if packed.is_depthwise:
        DEPTHWISE_DRIVERS[route.name](
            _with_slack(codes, part.columns - packed.n),
            source,
            _flat(np.full(part.columns, pad, codes.dtype)),
            part.panels,
            part.columns,
            packed.n,
            max(BLOCK_BYTES // (4 * part.columns), 1),
            add.astype(np.int32).reshape(-1),
            finish,
            float32,
            fixed_point,
            out_codes.reshape(-1).view(np.uint8),
            out_sums.reshape(-1),
            counts,
        )
        return counts
    DRIVERS[route.name](
        _flat(codes),
        source,
        part.panels,
        _blocks(route, packed, part, source.rows, out_group, out_row),
        add.astype(np.int32).reshape(-1),
        part.offsets.reshape(-1),
        finish,
        float32,
        fixed_point,
        out_codes.reshape(-1).view(np.uint8),
        out_sums.reshape(-1),
        counts,
    )
    return counts


def _flat(codes: np.ndarray) -> np.ndarray:
    """Return ``codes`` as drivers read them: uint8 or int16, flat, and never writable, which is a type of its own to numba."""
    flat = codes.reshape(-1).view(np.uint8 if codes.dtype.itemsize == 1 else np.int16)
    flat.flags.writeable = False
    return flat


def _with_slack(codes: np.ndarray, slack: int) -> np.ndarray:
    """Return ``_flat`` codes in front of ``slack`` elements that may be read but do not count: a copy if there are any."""
    return _flat(np.concatenate([codes.reshape(-1), np.zeros(slack, codes.dtype)]) if slack else codes)


def _blocks(route: Route, packed: PackedWeights, part: Part, rows: int, out_group: int, out_row: int) -> Blocks:
    row_words = (-(-part.words // LINE_WORDS) | 1) * LINE_WORDS  # odd lines: rows do not meet in one set of the cache
    tall = min(BLOCK_ROWS, BLOCK_BYTES // (4 * row_words), rows + route.rows - 1)
    pieces = -(-part.words // route.block_words)
    return Blocks(
        groups=packed.groups,
        n=packed.n,
        columns=part.columns,
        k=part.k.stop - part.k.start,
        words=part.words,
        tile_rows=route.rows,
        tile_columns=route.columns,
        block_rows=max(tall // route.rows, 1) * route.rows,
        block_columns=min(BLOCK_COLUMNS, part.columns),
        block_words=-(-part.words // pieces),
        row_words=row_words,
        out_group=out_group,
        out_row=out_row,
        has_offsets=part.offsets.size > 0,
    )
