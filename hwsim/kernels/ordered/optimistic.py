"""Sums that are proven free of overflow while they are made, by a checkpointed pass over one product of matrices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hwsim.kernels.gemm.route import ROUTES
from hwsim.kernels.ordered.checkpoints import BLOCK_ROWS, IN_DOUBT, LEFT_OUT, NATIVE, PASSES
from hwsim.kernels.ordered.follow import Product
from hwsim.kernels.ordered.lanes import INT32_MAX, INT64_SAFE, fills
from hwsim.kernels.ordered.norms import column_norms, row_norms
from hwsim.kernels.ordered.pairs import pack_columns, pack_rows

SHORTEST, LONGEST = 32, 256  # products of a chunk


def chunk_length(k: int) -> int:
    """Return how many products make a chunk of sums over ``k``: about twice the root, so that a random walk over all of k
    strays as far as the bound on a chunk.

    >>> [chunk_length(k) for k in (9, 256, 1024, 4096, 100_000)]
    [32, 32, 64, 128, 256]
    """
    return min(max(1 << (round(np.log2(2 * np.sqrt(k)))), SHORTEST), LONGEST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """What is known of the first rows of a product of matrices.

    Args:
        rows: how many.
        best: a magnitude that a register held; the largest, but for the open outputs and those in doubt.
        open: int64, flat positions in ``[m, n]`` of outputs that may have seen a larger one.
        tops: bounds on the magnitudes that these saw.
        doubts: int64, flat positions of outputs whose registers may have overflowed.
    """

    rows: int
    best: int
    open: np.ndarray
    tops: np.ndarray
    doubts: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plan:
    """Chunks, and what their sums stand for.

    Args:
        cuts: int64 ``[chunks + 1]``, along k.
        follows_psum: whether sums are psum, fold by fold; else they are the accumulator, and norms bound psum.
        spread: that bound, int64 ``[m, n]``; None where sums are psum.
    """

    cuts: np.ndarray
    follows_psum: bool
    spread: np.ndarray | None


def _plan(a: np.ndarray, w: np.ndarray, folds: np.ndarray, psum_limit: int) -> _Plan:
    ends = np.concatenate([[0], np.cumsum(folds)])
    if len(folds) > 1:
        spread = row_norms(a, ends).max(axis=1)[:, None] * column_norms(w, ends).max(axis=0)
        if int(spread.max()) <= psum_limit:
            cuts = np.append(np.arange(0, ends[-1], chunk_length(int(ends[-1]))), ends[-1])
            return _Plan(cuts=cuts, follows_psum=False, spread=spread)
    length = chunk_length(int(folds.max()))
    inner = [np.append(np.arange(begin + length, end, length), end) for begin, end in pairwise(ends)]
    return _Plan(cuts=np.concatenate([[0], *inner]), follows_psum=True, spread=None)


def settle(product: Product, g: int, todo: np.ndarray, values: np.ndarray) -> Settled | None:
    """Write ``start + a @ w`` of the group g, which stands wherever no register can have overflowed.

    Args:
        product: of int16 operands.
        g: the group.
        todo: bool ``[m, n]``; the others may be left out.
        values: int64 ``[m, n]``, written for as many rows as it pays.

    Returns:
        None where the sums of a chunk may leave 32 bits.
    """
    a, w = (np.ascontiguousarray(x[g], np.int16) for x in (product.a, product.w))
    (m, n), columns, reach = values.shape, ROUTES[NATIVE].columns, product.reach
    psum_limit = product.psum.maximum if fills(product.psum, reach.fold) else INT64_SAFE
    accumulator_limit = min(product.accumulator.maximum, INT64_SAFE)
    plan = _plan(a, w, product.folds, psum_limit)
    a_norms, w_norms = row_norms(a, plan.cuts), column_norms(w, plan.cuts)
    stray = int(a_norms.max()) * int(w_norms.max())
    farthest = 2 * (reach.start + reach.k * reach.product) + stray
    if stray > INT32_MAX or farthest >= INT64_SAFE:
        return None
    lane = np.int32 if farthest <= INT32_MAX else np.int64
    rows = -(-m // ROUTES[NATIVE].rows) * ROUTES[NATIVE].rows
    reach_limit = 2 * (psum_limit if plan.follows_psum else accumulator_limit)
    most = int(np.iinfo(lane).max)
    limits = np.array([min(limit, most) for limit in (reach_limit, accumulator_limit)], lane)
    spread = np.zeros((0, n), lane) if plan.spread is None else np.minimum(plan.spread, most).astype(lane)
    places = np.concatenate([[0], np.cumsum((np.diff(plan.cuts) + 1) // 2)])
    tops = np.full((m, n), LEFT_OUT, lane)
    done, best = PASSES[NATIVE](
        pack_rows(a, plan.cuts, places, rows).view(np.int32),
        pack_columns(w, plan.cuts, places, columns),
        np.pad(a_norms.astype(np.int32), ((0, rows - m), (0, 0))),
        _tiled(w_norms.astype(np.int32), columns),
        places,
        np.isin(plan.cuts[1:], np.cumsum(product.folds)) & plan.follows_psum,
        limits,
        _any_of_blocks(todo, BLOCK_ROWS, columns),
        np.ascontiguousarray(product.start[g]) if reach.start else np.zeros((0, n), np.int64),
        spread,
        plan.follows_psum,
        todo[:0] if todo.all() else todo,
        values,
        tops,
    )
    bounds = tops[:done].reshape(-1)
    open_ = np.flatnonzero(bounds > best)
    doubts = np.flatnonzero(bounds == IN_DOUBT)
    return Settled(rows=done, best=best, open=open_, tops=bounds[open_], doubts=doubts)


def _any_of_blocks(todo: np.ndarray, rows: int, columns: int) -> np.ndarray:
    m, n = todo.shape
    if todo.all():
        return np.ones((-(-m // rows), -(-n // columns)), bool)
    return np.logical_or.reduceat(np.logical_or.reduceat(todo, range(0, m, rows), axis=0), range(0, n, columns), axis=1)


def _tiled(norms: np.ndarray, columns: int) -> np.ndarray:
    """Return ``[chunks, n]`` as ``[tiles, chunks, columns]``, zeros in what is added."""
    chunks, n = norms.shape
    padded = np.pad(norms, ((0, 0), (0, -n % columns)))
    return np.ascontiguousarray(padded.reshape(chunks, -1, columns).swapaxes(0, 1))
