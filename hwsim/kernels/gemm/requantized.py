"""Products whose sums become output codes block by block, while they are in the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hwsim.kernels.gemm.epilogue import Epilogue
from hwsim.kernels.gemm.gather import Source
from hwsim.kernels.gemm.intake import Intake, intake
from hwsim.kernels.gemm.launch import Launch, prepare_launch
from hwsim.kernels.gemm.product import check_matrix, gemm_packed, matrix_source
from hwsim.kernels.gemm.weights import PackedWeights
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantize import requantize


class Requantized(NamedTuple):
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


Plan = Callable[[np.ndarray], Requantized]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledPlan:
    """A product at one shape and type of activations, ready to run. Made by ``plan_gemm`` and ``plan_convolution``.

    Args:
        intake: of the activations.
        launch: the compiled loop.
        shape: of the codes as they lie in memory: a matrix, or a map with its channels innermost.
        dtype: of the codes.
        is_map: whether activations and codes are shown with their channels before height and width.
    """

    intake: Intake
    launch: Launch
    shape: tuple[int, ...]
    dtype: np.dtype
    is_map: bool

    def __call__(self, a: np.ndarray) -> Requantized:
        """Return the codes for ``a``, in an array of their own."""
        read = self.intake(a)
        codes = np.empty(self.shape, self.dtype)
        written = codes.reshape(-1) if self.dtype == np.uint8 else codes.reshape(-1).view(np.uint8)
        counts = self.launch(np.ascontiguousarray(read.transpose(0, 2, 3, 1) if self.is_map else read), written)
        below, above, smallest, largest = counts.tolist()
        if self.is_map:
            codes = codes.transpose(0, 3, 1, 2)
        return Requantized(codes, below, above, max(largest, -smallest))

    def bound(self, a: np.ndarray, codes: np.ndarray, counts: np.ndarray) -> Callable[[], None] | None:
        """Return a call that writes the codes for what ``a`` holds by then; None where ``codes`` lie otherwise in memory.

        Args:
            a: activations of the plan's shape and type.
            codes: of the plan's result, bytes.
            counts: int64 ``[COUNTS]``, updated: see ``Launch``.
        """
        if self.is_map:
            a, codes = a.transpose(0, 2, 3, 1), codes.transpose(0, 2, 3, 1)
        if codes.shape != self.shape or codes.itemsize != 1 or not codes.flags.c_contiguous:
            return None
        written, target = codes.reshape(-1).view(np.uint8), self.intake.dtype
        if a.flags.c_contiguous and a.dtype == target and not self.intake.is_checked:
            return self.launch.bound(a, written, counts)
        staged = np.empty(a.shape, target)
        launch = self.launch.bound(staged, written, counts)

        def run() -> None:
            staged[...] = self.intake(a)
            launch()

        return run


def gemm_requantized(a: np.ndarray, packed: PackedWeights, epilogue: Epilogue) -> Requantized:
    """Return the codes of ``(a - zero_point) @ w``, of shape ``[m, n]`` or ``[groups, m, n]``.

    Args:
        a: codes as in ``gemm_packed``.
        packed: the weights.
        epilogue: made for them.
    """
    return plan_gemm(a.shape, a.dtype, packed, epilogue)(a)


def plan_gemm(shape: tuple[int, ...], dtype: np.dtype, packed: PackedWeights, epilogue: Epilogue) -> Plan:
    """Return ``gemm_requantized`` for activations of ``shape`` and ``dtype``, with all that depends on no code done."""
    check_matrix(shape, packed)
    if not epilogue.is_compiled:
        return lambda a: _gemm_by_sums(a, packed, epilogue)
    m, way = shape[-2], intake(dtype, packed)
    launch = launch_finished(
        matrix_source(m, packed.k), packed, epilogue, way, out_group=m * packed.n, out_row=packed.n
    )
    return CompiledPlan(intake=way, launch=launch, shape=(*shape[:-1], packed.n), dtype=epilogue.dtype, is_map=False)


def _gemm_by_sums(a: np.ndarray, packed: PackedWeights, epilogue: Epilogue) -> Requantized:
    shape, m = (*a.shape[:-1], packed.n), a.shape[-2]
    sums = gemm_packed(a, packed).astype(np.int64).reshape(packed.groups, m, packed.n)
    done = finish_sums(sums.transpose(1, 0, 2), epilogue)
    codes = done.codes.reshape(m, packed.groups, packed.n).transpose(1, 0, 2).reshape(shape)
    return done._replace(codes=np.ascontiguousarray(codes))


def launch_finished(
    source: Source,
    packed: PackedWeights,
    epilogue: Epilogue,
    way: Intake,
    *,
    out_group: int,
    out_row: int,
    pad: int = 0,
) -> Launch:
    """Return the one part of ``packed`` with a compiled epilogue, ready for codes that came by ``way``."""
    assert way.dtype is not None
    return prepare_launch(
        source,
        packed,
        packed.parts[0],
        way.dtype,
        out_group=out_group,
        out_row=out_row,
        pad=pad,
        bias=epilogue.bias,
        holds_bias=epilogue.holds_bias,
        finish=epilogue.finish,
        table32=epilogue.table32,
        table64=epilogue.table64,
    )


def finish_sums(sums: np.ndarray, epilogue: Epilogue) -> Requantized:
    """Return the codes ``[rows, groups * n]`` of sums ``[rows, groups, n]`` that left the compiled loop."""
    total = (sums + epilogue.bias).reshape(len(sums), -1)
    unit, zero_point, low, high = epilogue.unit, epilogue.zero_point, epilogue.low, epilogue.high
    done = requantize(total, epilogue.constants, unit, zero_point, low, high, ends=epilogue.ends)
    codes = done.codes.astype(epilogue.dtype)
    peak = magnitude(total if epilogue.holds_bias else sums)
    return Requantized(codes=codes, below=done.clipped_low, above=done.clipped_high, peak=peak)
