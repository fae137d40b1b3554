"""From packed weights and a shape of activations to a compiled driver that only needs the codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from hwsim.kernels.gemm.codes import ADD, HELD, OFFSETS, ROWS_32
from hwsim.kernels.gemm.depthwise import DEPTHWISE_DRIVERS
from hwsim.kernels.gemm.drive import DRIVERS
from hwsim.kernels.gemm.finish import SUMS, Finish
from hwsim.kernels.gemm.form import Blocks, form_of
from hwsim.kernels.gemm.gather import Source
from hwsim.kernels.gemm.route import Route
from hwsim.kernels.gemm.weights import PackedWeights, Part

BLOCK_ROWS = 96
BLOCK_COLUMNS = 256
BLOCK_BYTES = 128 * 1024  # of gathered activations: a part of the second cache
LINE_WORDS = 16
COUNTS = 4  # results below and above the bounds, the smallest and the largest sum

NO_CODES, NO_SUMS, NO_TABLE = np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(0, np.int64)
ONLY_SUMS = Finish(mode=SUMS, floor=0, ceiling=0, zero=0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Launch:
    """A compiled driver with all that it reads but the codes. Made by ``prepare_launch``.

    Args:
        driver: of the route.
        constants: what the driver does (see ``form``), the panels of the weights, which pairs of their words are short, and
            the constants per column of 32 and of 64 bits (see ``codes``).
    """

    driver: Callable[..., None]
    constants: tuple[np.ndarray, ...]

    def __call__(
        self, codes: np.ndarray, out_codes: np.ndarray = NO_CODES, out_sums: np.ndarray = NO_SUMS
    ) -> np.ndarray:
        """Run; return int64 ``[COUNTS]``: results below and above, the smallest and the largest sum (with 0).

        Args:
            codes: uint8, int8 or int16, contiguous.
            out_codes: uint8, flat, written unless the sums are what is wanted.
            out_sums: int32, flat, written where they are.
        """
        counts = np.zeros(COUNTS, np.int64)
        self.driver(_read(codes), *self.constants, out_codes, out_sums, counts)
        return counts

    def bound(self, codes: np.ndarray, out_codes: np.ndarray, counts: np.ndarray) -> Callable[[], None]:
        """Return a call that runs on what ``codes`` hold by then.

        Args:
            codes: as above.
            out_codes: likewise.
            counts: int64 ``[COUNTS]``, updated.
        """
        return partial(self.driver, _read(codes), *self.constants, out_codes, NO_SUMS, counts)


def _read(codes: np.ndarray) -> np.ndarray:
    """Return contiguous codes as the drivers take them."""
    flat = codes.reshape(-1)
    if codes.dtype == np.int8:
        flat = flat.view(np.uint8)
    flat.flags.writeable = False  # arrays that can be written are a type of their own to numba
    return flat


def prepare_launch(
    source: Source,
    packed: PackedWeights,
    part: Part,
    dtype: np.dtype,
    *,
    out_group: int,
    out_row: int,
    pad: int = 0,
    bias: np.ndarray | None = None,
    holds_bias: bool = True,
    finish: Finish = ONLY_SUMS,
    table32: np.ndarray = NO_TABLE,
    table64: np.ndarray = NO_TABLE,
) -> Launch:
    """Return one part of k, ready for codes of ``dtype``.

    Args:
        source: where the codes lie; ``flip``, ``centre`` and ``pad`` are set here.
        packed: the weights.
        part: which of their parts.
        dtype: of the codes: uint8, int8 or int16.
        out_group: output elements from group to group.
        out_row: output elements from row to row.
        pad: the code of padding.
        bias: int64 ``[groups, n]``, added to the sums (modulo 2^32).
        holds_bias: whether the smallest and the largest sum are those with the bias.
        finish: what becomes of the sums.
        table32: its constants per column, see ``Epilogue``.
        table64: likewise.
    """
    route = packed.route
    assert route is not None
    flip = 128 if dtype == np.int8 else 0
    zero = packed.zero_point + flip
    is_raw = packed.is_depthwise or route.word is np.uint8  # codes are multiplied with their zero point
    add = np.zeros((2, packed.groups, part.columns), np.int64)
    if bias is not None:
        add[: 2 if holds_bias else 1, :, : packed.n] = bias
    if is_raw:
        add -= zero * part.column_sums
    constants = table32.copy() if table32.size else np.zeros((ROWS_32, packed.groups * part.columns), np.int32)
    constants[[ADD, HELD]] = add.astype(np.int32).reshape(2, -1)
    if part.offsets.size:
        constants[OFFSETS] = part.offsets.reshape(-1)
    centre = 0 if is_raw else zero
    source = source._replace(flip=flip, centre=centre, pad=pad + flip - centre)
    blocks = (_depthwise_blocks if packed.is_depthwise else _blocks)(
        route, packed, part, source.rows, out_group, out_row
    )
    return Launch(
        driver=(DEPTHWISE_DRIVERS if packed.is_depthwise else DRIVERS)[route.name],
        constants=(
            form_of(source, blocks, finish),
            part.panels,
            part.short,
            constants.reshape(-1),
            table64.reshape(-1),
        ),
    )


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
        block_words=-(-part.words // (pieces * route.depth)) * route.depth,
        row_words=row_words,
        out_group=out_group,
        out_row=out_row,
        has_offsets=int(part.offsets.size > 0),
    )


def _depthwise_blocks(
    route: Route, packed: PackedWeights, part: Part, rows: int, out_group: int, out_row: int
) -> Blocks:
    """Return blocks of pixels, as many as the cache holds sums of; their channels are never cut."""
    wide = _blocks(route, packed, part, rows, out_group, out_row)
    return wide._replace(block_rows=max(min(BLOCK_BYTES // (4 * part.columns), rows), 1), block_columns=part.columns)
