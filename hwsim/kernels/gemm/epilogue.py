"""What turns the sums of one layer into codes: tables for the compiled loop, where the arithmetic of the unit has a form there.

The forms are those of ``float32`` (ONNX Runtime), of one rounded shift (``fixed_point``, ``power_of_two``, XNNPACK) and of
the doubled product with two roundings (TensorFlow Lite, CMSIS-NN, QNNPACK). Everything else, and sums or codes beyond the
lanes of the loop, goes through ``hwsim.kernels.requantize`` on finished sums: the same integers either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwsim.kernels.gemm.codes import LEFT, MULTIPLIER, ROWS_32, ROWS_64
from hwsim.kernels.gemm.finish import DOUBLE_ROUNDING, FIXED_POINT, FLOAT32, SUMS, Finish
from hwsim.kernels.gemm.launch import NO_TABLE, ONLY_SUMS
from hwsim.kernels.gemm.weights import INT32_LIMIT, PackedWeights
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import fixed_point
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants
from hwsim.numerics.rounding import Rounding

INT64_SAFE = 1 << 62
LONGEST_SHIFT = 61
FRACTION_BITS = 31
DOUBLE = ("tflite_double", "cmsis_nn", "qnnpack_q31")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Epilogue:
    """The end of one layer. Made by ``make_epilogue``.

    Args:
        finish: the compiled form; its mode is ``SUMS`` where the sums have to leave the loop first.
        table32: the requantizer's rows of the tables of the compiled form, see ``codes``: int32 ``[ROWS_32, columns]``, columns
            of all groups in whole tiles; or empty.
        table64: int64 ``[ROWS_64, columns]``; or empty.
        bias: int64 ``[groups, n]``.
        holds_bias: whether a sum is counted with its bias: it began with it.
        constants: of the requantizer, a column per output.
        unit: the requantizer.
        zero_point: of the output.
        low: smallest code.
        high: largest code.
        ends: smallest and largest code of the format, where a clamp made the range narrower.
        dtype: type of the codes.
    """

    finish: Finish = ONLY_SUMS
    table32: np.ndarray
    table64: np.ndarray
    bias: np.ndarray
    holds_bias: bool
    constants: Constants
    unit: Requantizer
    zero_point: int
    low: int
    high: int
    ends: tuple[int, int] | None
    dtype: np.dtype

    @property
    def is_compiled(self) -> bool:
        """Whether blocks become codes inside the compiled loop."""
        return self.finish.mode != SUMS


def make_epilogue(
    packed: PackedWeights,
    constants: Constants,
    unit: Requantizer,
    bias: np.ndarray | None = None,
    *,
    zero_point: int,
    low: int,
    high: int,
    ends: tuple[int, int] | None = None,
    holds_bias: bool = True,
) -> Epilogue:
    """Return the epilogue of a layer; the integers are those of ``hwsim.kernels.requantize`` on the sums with bias.

    Args:
        packed: the layer's weights.
        constants: multiplier and shift, one or a column per output: ``[1]`` or ``[groups * n]``.
        unit: the requantizer.
        bias: integers ``[groups * n]`` in any shape, or one; None for 0.
        zero_point: of the output.
        low: smallest code.
        high: largest code.
        ends: smallest and largest code of the format, where a clamp made the range narrower.
        holds_bias: whether a sum begins with its bias, so that its peak is counted with it.
    """
    outputs = packed.groups * packed.n
    columns = Constants(
        multiplier=np.ascontiguousarray(np.broadcast_to(constants.multiplier, outputs)),
        shift=np.ascontiguousarray(np.broadcast_to(constants.shift, outputs)),
    )
    added = np.zeros(1, np.int64) if bias is None else np.asarray(bias, np.int64).reshape(-1)
    plain = Epilogue(
        table32=NO_TABLE,
        table64=NO_TABLE,
        bias=np.broadcast_to(added, outputs).reshape(packed.groups, packed.n),
        holds_bias=holds_bias,
        constants=columns,
        unit=unit,
        zero_point=zero_point,
        low=low,
        high=high,
        ends=ends,
        dtype=_narrowest(low, high),
    )
    saturates = unit.overflow in (None, CodeOverflow.SATURATE)
    if not saturates or not _fits_lanes(packed, plain):
        return plain
    finish = Finish(mode=SUMS, floor=low - zero_point, ceiling=high - zero_point, zero=zero_point)
    if unit.scheme == "float32":
        table = _table(packed, {MULTIPLIER: columns.multiplier.astype(np.float32).view(np.int32)}, ROWS_32, np.int32)
        return replace(plain, finish=finish._replace(mode=FLOAT32), table32=table)
    if unit.scheme in ("fixed_point", "power_of_two", "xnnpack_rndnu"):
        return _one_rounding(packed, plain, finish)
    return _two_roundings(packed, plain, finish) if unit.scheme in DOUBLE else plain


def _one_rounding(packed: PackedWeights, plain: Epilogue, finish: Finish) -> Epilogue:
    rounding = Rounding.HALF_UP if plain.unit.scheme == "xnnpack_rndnu" else plain.unit.shift_rounding
    multiplier, shift = plain.constants.multiplier, plain.constants.shift
    left, right = max(-int(shift.min()), 0), max(int(shift.max()), 0)
    factor, peak = magnitude(multiplier) << left, packed.reach + magnitude(plain.bias)
    if right > LONGEST_SHIFT or factor > INT32_LIMIT or peak * factor + (1 << right) >= INT64_SAFE:
        return plain
    raised, shifts = multiplier << np.maximum(-shift, 0), np.maximum(shift, 0)
    return _fixed(packed, plain, finish._replace(mode=FIXED_POINT), raised, shifts, rounding, 0 * shift)


def _two_roundings(packed: PackedWeights, plain: Epilogue, finish: Finish) -> Epilogue:
    multiplier, shift = plain.constants.multiplier, plain.constants.shift
    left, right = np.maximum(FRACTION_BITS - shift, 0), np.maximum(shift - FRACTION_BITS, 0)
    if magnitude(multiplier) > INT32_LIMIT or int(left.max()) > 31 or int(right.max()) > LONGEST_SHIFT:
        return plain
    return _fixed(packed, plain, finish._replace(mode=DOUBLE_ROUNDING), multiplier, right, Rounding.HALF_AWAY, left)


def _fits_lanes(packed: PackedWeights, plain: Epilogue) -> bool:
    """Whether sums with bias fit 32 bits, and codes a byte, before and after the zero point also a float32."""
    in_reach = packed.fits_int32 and packed.reach + magnitude(plain.bias) <= INT32_LIMIT
    return in_reach and plain.dtype.itemsize == 1 and abs(plain.zero_point) < 1 << 16


def _narrowest(low: int, high: int) -> np.dtype:
    for dtype in (np.uint8, np.int8, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.int64)


def _fixed(
    packed: PackedWeights,
    plain: Epilogue,
    finish: Finish,
    multiplier: np.ndarray,
    shift: np.ndarray,
    rounding: Rounding,
    left: np.ndarray,
) -> Epilogue:
    """Return ``plain`` with the tables of a multiplier and a rounding shift."""
    table32 = _table(packed, {MULTIPLIER: multiplier, LEFT: left}, ROWS_32, np.int32)
    shifts = dict(enumerate((shift, *fixed_point.offsets(shift, rounding))))
    return replace(plain, finish=finish, table32=table32, table64=_table(packed, shifts, ROWS_64, np.int64))


def _table(
    packed: PackedWeights, rows: Mapping[int, np.ndarray], count: int, dtype: type[np.signedinteger]
) -> np.ndarray:
    """Return a table of ``count`` rows, every group filled up to whole tiles with zeros; ``rows`` are ``[groups * n]``."""
    table = np.zeros((count, packed.groups, packed.parts[0].columns), dtype)
    for index, values in rows.items():
        table[index, :, : packed.n] = values.reshape(packed.groups, packed.n)
    return table.reshape(count, -1)
