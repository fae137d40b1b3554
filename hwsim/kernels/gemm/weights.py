"""Weights packed once for many products: the route, k in parts whose sums fit 32 bits, panels of 32-bit words.

A panel holds ``columns`` of a tile for all of k: word by word along k, the tile's columns side by side, two int16 or four
int8 neighbours along k in a word. Byte routes read activations as uint8 and need weights within int8: what activations are
off by returns as a column sum, and a column of weights that is off by a constant as a sum of the activations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.gemm.blas import FloatChunks, chunks, float_chunks
from hwsim.kernels.gemm.route import Route, candidates
from hwsim.kernels.operands import magnitude

INT32_LIMIT = (1 << 31) - 1
INT16_LIMIT = (1 << 15) - 1
CACHE_LINE_WORDS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """The panels of a part of k.

    Args:
        k: which operands.
        panels: int32 words, flat: group, panel, word along k, column; those of ``depthwise`` for depthwise weights.
        short: uint8, flat: group, panel, pair of words along k: whether the pair may be added in 16 bits; empty for routes
            that add word by word.
        columns: n rounded up to whole tiles.
        words: words along k.
        column_sums: sums of the weights along k, int64 ``[groups, columns]``.
        offsets: what was taken off every column, int32 ``[groups, columns]``; empty where nothing was.
    """

    k: slice
    panels: np.ndarray
    short: np.ndarray
    columns: int
    words: int
    column_sums: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedWeights:
    """Weights of ``groups`` products, ready for activations of one range. Made by ``pack_weights``.

    Args:
        groups: independent products.
        k: operands of a sum.
        n: columns of each product.
        is_grouped: whether the weights came as ``[groups, k, n]``.
        code_range: smallest and largest activation code.
        zero_point: taken off every code before it is multiplied.
        reach: no sum of products, in whatever order, has a larger magnitude.
        is_depthwise: whether columns are channels that each meet their own input channel only (``k`` taps each).
        route: how products are made; None for BLAS or integer loops.
        parts: panels for ``route``, ascending along k.
        weights: the integers ``[groups, k, n]`` where there is no route; empty elsewhere.
        floats: the chunks for BLAS where there is no route and they pay.
    """

    groups: int
    k: int
    n: int
    is_grouped: bool
    code_range: tuple[int, int]
    zero_point: int
    reach: int
    is_depthwise: bool = False
    route: Route | None
    parts: tuple[Part, ...]
    weights: np.ndarray
    floats: FloatChunks

    @property
    def a_magnitude(self) -> int:
        """Largest magnitude of a code less the zero point."""
        return largest_centred(self.code_range, self.zero_point)

    @property
    def fits_int32(self) -> bool:
        """Whether every sum fits 32 bits, so that products are int32."""
        return self.route is not None and len(self.parts) == 1 and self.reach <= INT32_LIMIT


def pack_weights(
    w: np.ndarray, code_range: tuple[int, int], zero_point: int = 0, route: str | None = None
) -> PackedWeights:
    """Return ``w`` packed for products with activations of ``code_range``.

    Args:
        w: centred integers ``[k, n]`` or ``[groups, k, n]``.
        code_range: smallest and largest code of the activations; the product takes ``code - zero_point``.
        zero_point: of the activations.
        route: the name of a route to insist on; None for the best one this processor runs. ``HWSIM_GEMM_ROUTE`` is a
            default for it. A route that does not hold these operands gives way to BLAS.

    Raises:
        ExecutionError: weights that are not integers of two or three dimensions; a route that is not there.
    """
    if w.ndim not in (2, 3) or w.dtype.kind not in "iu":
        raise ExecutionError(f"gemm weights: needs integers [k, n] or [groups, k, n], not {w.dtype} {list(w.shape)}")
    matrix = w if w.ndim == 3 else w[None]
    groups, k, n = matrix.shape
    w_magnitude, a_magnitude = magnitude(matrix), largest_centred(code_range, zero_point)
    chosen: Route | None = None
    parts: tuple[Part, ...] = ()
    floats: FloatChunks = ()
    for candidate in candidates(route):
        parts = _parts(matrix, code_range, zero_point, candidate, w_magnitude) if matrix.size else ()
        if parts:
            chosen = candidate
            break
    if chosen is None and matrix.size:
        floats = float_chunks(matrix, a_magnitude, w_magnitude)
    return PackedWeights(
        groups=groups,
        k=k,
        n=n,
        is_grouped=w.ndim == 3,
        code_range=code_range,
        zero_point=zero_point,
        reach=reach_of(matrix, a_magnitude, w_magnitude),
        route=chosen,
        parts=parts,
        weights=matrix[:0] if chosen is not None else matrix.copy(),
        floats=floats,
    )


def largest_centred(code_range: tuple[int, int], zero_point: int) -> int:
    """Return the largest magnitude of a code less the zero point."""
    return max(code_range[1] - zero_point, zero_point - code_range[0], 0)


def are_int16(matrix: np.ndarray, code_range: tuple[int, int], zero_point: int) -> bool:
    """Whether words of int16 hold the weights and the codes, flipped or not, with and without the zero point."""
    low, high = code_range
    numbers = (low, high, low - zero_point, high - zero_point, zero_point, zero_point + 128)
    return all(map(is_int16, (*numbers, int(matrix.min()), int(matrix.max()))))


def is_int16(number: int) -> bool:
    """Whether 16 bits hold ``number``."""
    return -(1 << 15) <= number < 1 << 15


def reach_of(matrix: np.ndarray, a_magnitude: int, w_magnitude: int) -> int:
    """Return ``max|a|`` times the largest L1 norm of a column, as a Python int."""
    k = matrix.shape[1]
    if not matrix.size or k * w_magnitude > (1 << 62):
        return k * a_magnitude * w_magnitude
    dtype = np.int32 if w_magnitude < 1 << 31 else np.int64
    return a_magnitude * int(np.abs(matrix.astype(dtype)).sum(axis=1, dtype=np.int64).max())


def _parts(
    matrix: np.ndarray, code_range: tuple[int, int], zero_point: int, route: Route, w_magnitude: int
) -> tuple[Part, ...]:
    """Return the panels of ``matrix [groups, k, n]``; none where ``route`` cannot hold the operands or parts are short."""
    low, high = code_range
    a_magnitude = largest_centred(code_range, zero_point)
    offsets = np.zeros((matrix.shape[0], 1, matrix.shape[2]), np.int64)
    if route.word is np.uint8:
        if not (0 <= low <= high <= 255 or -128 <= low <= high <= 127):
            return ()
        smallest, largest = matrix.min(axis=1, keepdims=True), matrix.max(axis=1, keepdims=True)
        offsets = np.maximum(largest.astype(np.int64) - 127, np.minimum(smallest.astype(np.int64) + 128, 0))
        if (smallest - offsets < -128).any() or (route.saturates_pairs and not _pairs_fit(matrix - offsets)):
            return ()
    elif not are_int16(matrix, code_range, zero_point):
        return ()
    cuts = chunks(matrix, a_magnitude, w_magnitude, INT32_LIMIT)
    return tuple(_part(matrix[:, cut], cut, offsets, route) for cut in cuts)


def _pairs_fit(matrix: np.ndarray) -> bool:
    """Whether 16 bits hold the products of any two neighbours along k with any two uint8, wherever k is cut."""
    least, most = np.minimum(matrix, 0), np.maximum(matrix, 0)
    lowest, highest = (least[:, :-1] + least[:, 1:]).min(initial=0), (most[:, :-1] + most[:, 1:]).max(initial=0)
    return 255 * int(lowest) >= -(INT16_LIMIT + 1) and 255 * int(highest) <= INT16_LIMIT


def _part(matrix: np.ndarray, k: slice, offsets: np.ndarray, route: Route) -> Part:
    groups, length, n = matrix.shape
    tiles, words = -(-n // route.columns), -(-length // (route.per_word * route.depth)) * route.depth
    columns = tiles * route.columns
    operand = np.int16 if route.word is np.int16 else np.int8
    has_offsets = bool(offsets.any())
    padded = np.zeros((groups, words * route.per_word, columns), operand)
    padded[:, :length, :n] = matrix - offsets if has_offsets else matrix
    grid = padded.reshape(groups, words, route.per_word, tiles, route.columns).transpose(0, 3, 1, 4, 2)
    panels = _aligned_words(groups * columns * words)
    panels.view(operand).reshape(grid.shape)[...] = grid
    panels.flags.writeable = False
    sums = np.zeros((groups, columns), np.int64)
    sums[:, :n] = matrix.sum(axis=1, dtype=np.int64)
    kept = np.zeros((groups, columns if has_offsets else 0), np.int32)
    if has_offsets:
        kept[:, :n] = offsets[:, 0]
    short = np.zeros(0, np.uint8) if route.emit_pair is None else _short_pairs(padded, tiles)
    return Part(k=k, panels=panels, short=short, columns=columns, words=words, column_sums=sums, offsets=kept)


def _short_pairs(padded: np.ndarray, tiles: int) -> np.ndarray:
    """Return for every group, tile of columns and pair of words whether 16 bits hold the sum of four products each.

    Two neighbouring products of one word meet those of the next one: for activations up to 255 the sum stays inside when
    the positive weights among the four, and the negative ones, do.

    Args:
        padded: int8 ``[groups, k, columns]``, whole pairs of words and whole tiles.
        tiles: that ``columns`` are.
    """
    groups, k, columns = padded.shape
    fours = padded.astype(np.int16).reshape(groups, k // 8, 2, 2, 2, tiles, columns // tiles)
    most = np.maximum(fours, 0).sum(axis=(2, 4)).max(axis=(2, 4), initial=0)
    least = np.minimum(fours, 0).sum(axis=(2, 4)).min(axis=(2, 4), initial=0)
    fits = (255 * most <= INT16_LIMIT) & (255 * least >= -(INT16_LIMIT + 1))
    return np.ascontiguousarray(fits.transpose(0, 2, 1)).reshape(-1).astype(np.uint8)


def _aligned_words(count: int) -> np.ndarray:
    """Return ``count`` int32 that begin a cache line, not set."""
    spare = np.empty(count + CACHE_LINE_WORDS, np.int32)
    skip = -(spare.ctypes.data // 4) % CACHE_LINE_WORDS
    return spare[skip : skip + count]
