"""Products whose sums become output codes block by block, while they are in the cache."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.kernels.gemm.codes import ABOVE, BELOW, LARGEST, SMALLEST
from hwsim.kernels.gemm.epilogue import Epilogue
from hwsim.kernels.gemm.gather import Source
from hwsim.kernels.gemm.launch import launch
from hwsim.kernels.gemm.product import gemm_packed, matrix_codes, matrix_source
from hwsim.kernels.gemm.weights import PackedWeights
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantize import requantize


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requantized:
    """Output codes and what happened on the way.

    Args:
        codes: uint8 or int8 where the bounds allow, else int32 or int64.
        below: results clipped at the lower bound.
        above: results clipped at the upper bound.
        peak: largest magnitude of a sum, with its bias where the epilogue says so.
    """

    codes: np.ndarray
    below: int
    above: int
    peak: int


def gemm_requantized(a: np.ndarray, packed: PackedWeights, epilogue: Epilogue) -> Requantized:
    """Return the codes of ``(a - zero_point) @ w``, of shape ``[m, n]`` or ``[groups, m, n]``.

    Args:
        a: codes as in ``gemm_packed``.
        packed: the weights.
        epilogue: made for them.
    """
    shape, m = (*a.shape[:-1], packed.n), a.shape[-2]
    if not epilogue.is_compiled:
        sums = gemm_packed(a, packed).astype(np.int64).reshape(packed.groups, m, packed.n)
        done = finish_sums(sums.transpose(1, 0, 2), epilogue)
        codes = done.codes.reshape(m, packed.groups, packed.n).transpose(1, 0, 2).reshape(shape)
        return replace(done, codes=np.ascontiguousarray(codes))
    codes = np.empty(shape, epilogue.dtype)
    source = matrix_source(m, packed.k)
    matrix = matrix_codes(a, packed)
    counts = launch_finished(matrix, source, packed, epilogue, codes, out_group=m * packed.n, out_row=packed.n)
    return requantized(codes, counts)


def launch_finished(
    codes: np.ndarray,
    source: Source,
    packed: PackedWeights,
    epilogue: Epilogue,
    out: np.ndarray,
    *,
    out_group: int,
    out_row: int,
    pad: int = 0,
) -> np.ndarray:
    """Run the one part of ``packed`` with a compiled epilogue; the counts of ``launch``."""
    return launch(
        codes,
        source,
        packed,
        packed.parts[0],
        out_group=out_group,
        out_row=out_row,
        pad=pad,
        bias=epilogue.bias,
        holds_bias=epilogue.holds_bias,
        finish=epilogue.finish,
        float32=epilogue.float32,
        fixed_point=epilogue.fixed_point,
        out_codes=out,
    )


def requantized(codes: np.ndarray, counts: np.ndarray) -> Requantized:
    """Return ``codes`` with the counts of a compiled epilogue."""
    peak = max(int(counts[LARGEST]), -int(counts[SMALLEST]))
    return Requantized(codes=codes, below=int(counts[BELOW]), above=int(counts[ABOVE]), peak=peak)


def finish_sums(sums: np.ndarray, epilogue: Epilogue) -> Requantized:
    """Return the codes ``[rows, groups * n]`` of sums ``[rows, groups, n]`` that left the compiled loop."""
    total = (sums + epilogue.bias).reshape(len(sums), -1)
    unit, zero_point, low, high = epilogue.unit, epilogue.zero_point, epilogue.low, epilogue.high
    done = requantize(total, epilogue.constants, unit, zero_point, low, high, ends=epilogue.ends)
    codes = done.codes.astype(epilogue.dtype)
    peak = magnitude(total if epilogue.holds_bias else sums)
    return Requantized(codes=codes, below=done.clipped_low, above=done.clipped_high, peak=peak)
