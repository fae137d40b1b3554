"""A mapped product on the stepped array: tiles and folds in order, and the accumulators behind the array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.hardware.mac import ONE_PRODUCT
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.visits import visits_of
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.stepped.fold import Fold
from hwsim.stepped.record import SteppedRun
from hwsim.stepped.run import run_folds

Span = dict[str, slice]
INT64_SAFE = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SteppedGemm:
    """One group's product.

    Args:
        values: what the accumulators hold at the end, int64 ``[m, n]``.
        spans: which part of m, k and n each fold computed.
        run: the array's side: partial sums and cycles of each fold.
    """

    values: np.ndarray
    spans: tuple[Span, ...]
    run: SteppedRun


def run_mapping(
    mapping: Mapping,
    ifmap: np.ndarray,
    weight: np.ndarray,
    *,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray | int = 0,
) -> SteppedGemm:
    """Clock one group of a mapped product through its array; memories never make it wait.

    Args:
        mapping: tiles, their order, and the array.
        ifmap: integers ``[m, k]`` as they enter the multipliers, k in the array's order (``Mapping.k_permutation``).
        weight: integers ``[k, n]``, likewise.
        psum: the register inside the array; starts each fold at zero.
        accumulator: the register behind it, which adds the partial sums of the folds as they leave.
        start: what the accumulators hold at first; broadcasts to ``[m, n]``.

    Raises:
        ExecutionError: operands that are not the mapping's shape, elements that compute anything but one product a cycle,
            groups that share the array, scales that change along k, and what ``run_folds`` raises.
    """
    if mapping.mac != ONE_PRODUCT or mapping.groups_in_array != 1:
        raise ExecutionError(
            f"stepped array: every element must compute one product of one group a cycle, not {mapping.mac} and "
            f"{mapping.groups_in_array} groups in the array; the closed form prices these"
        )
    if mapping.gemm.is_segmented:
        raise ExecutionError(
            f"stepped array: one scale must serve the whole of k, but it has {len(mapping.gemm.segments)} segments; the "
            "registers behind the array add what they get: run the folds of fold_spans by themselves, or execute the layer"
        )
    sizes = mapping.gemm.shape
    for name, operand, shape in (("ifmap", ifmap, "mk"), ("weight", weight, "kn")):
        if operand.shape != tuple(sizes[dim] for dim in shape):
            wanted = [sizes[dim] for dim in shape]
            raise ExecutionError(f"stepped array: {name} must be {list(shape)} = {wanted}, not {list(operand.shape)}")
    spans = tuple(fold_spans(mapping))
    folds = [Fold(ifmap=ifmap[span["m"], span["k"]], weight=weight[span["k"], span["n"]]) for span in spans]
    done = run_folds(mapping.array, folds, psum=psum)
    most = max(abs(int(value)) for value in (np.min(start), np.max(start)))
    most += sum(max(abs(int(fold.values.min())), abs(int(fold.values.max()))) for fold in done.folds)
    sums = np.array(np.broadcast_to(start, (sizes["m"], sizes["n"])), np.int64 if most < INT64_SAFE else object)
    sums = _kept(sums, accumulator, most)
    for span, fold in zip(spans, done.folds, strict=True):
        outputs = (span["m"], span["n"])
        sums[outputs] = _kept(sums[outputs] + fold.values, accumulator, most)
    return SteppedGemm(values=sums.astype(np.int64), spans=spans, run=done)


def _kept(sums: np.ndarray, register: Accumulator, most: int) -> np.ndarray:
    """Return what registers hold after ``sums`` of at most ``most`` in magnitude are written: ``Accumulator.reduce``."""
    if register.overflow is Overflow.EXACT or (register.fits(most) and register.fits(-most)):
        return sums
    if register.overflow is Overflow.SATURATE:
        return np.clip(sums, register.minimum, register.maximum)
    return ((sums - register.minimum) & (register.maximum - register.minimum)) + register.minimum


def fold_spans(mapping: Mapping) -> Iterator[Span]:
    """Yield the folds of one group in order: tiles as the mapping visits them, in each the folds along the rows outermost.

    The parts of a tile, which lie in one segment each, follow one another as tiles do.
    """
    flow, array = mapping.array.flow, mapping.array
    visits = visits_of(mapping, max((block.level for block in mapping.blocks), default=1))
    starts = {"m": visits.m_start[0], "k": visits.k_start, "n": visits.n_start[0]}
    sizes = visits.sizes()
    inside: dict[int, list[tuple[int, int]]] = {}
    for part in mapping.k_parts:
        inside.setdefault(part.tile, []).append((part.start, part.size))
    parts = {spans[0][0]: spans for spans in inside.values()}
    for step in range(int((visits.group == 0).sum())):
        at = {dim: (int(starts[dim][step]), int(sizes[dim][step])) for dim in "mkn"}
        for span in parts[at["k"][0]]:
            at["k"] = span
            stream = slice(at[flow.time][0], sum(at[flow.time]))
            for rows in _pieces(*at[flow.rows], array.rows):
                for columns in _pieces(*at[flow.columns], array.columns):
                    yield {flow.rows: rows, flow.columns: columns, flow.time: stream}


def _pieces(start: int, size: int, limit: int) -> list[slice]:
    return [slice(at, min(at + limit, start + size)) for at in range(start, start + size, limit)]
