"""Weights that a table makes of codes: ``Gather(table, Cast(codes)) * scale`` is a tensor on a grid, and its codes stay.

The pattern is that of constants alone: stored integers of up to 16 bits, cast to indices; one row of different float32 numbers,
gathered along its only axis; a multiplication by positive float32 scales. The scales are one number, one per index of an axis,
or themselves gathered along an axis by constant group numbers. What fits only in part is computed, as all constants are.
"""

from __future__ import annotations

import numpy as np
import onnx

from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.books import format_of_table
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import codes_of, format_of_array
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

WIDEST_CODE = 16
INDICES = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
Spread = tuple[np.ndarray, Granularity]  # one number per scale, and which elements share it


class Tables:
    """The tables of one model while it is being read.

    Args:
        draft: the graph so far; weights that are recognised become constants on grids in it.
    """

    def __init__(self, draft: Draft):
        self.draft = draft
        self.places: dict[str, np.ndarray] = {}  # indices: the stored codes that were cast to them
        self.found: set[str] = set()  # looked up, not yet multiplied by scales
        self.gathered: dict[str, tuple[np.ndarray, np.ndarray, int]] = {}  # scales, the group of each index, its axis

    def take(self, operator: Operator) -> bool:
        """Return whether the operator is a step of the pattern that leaves a constant on a grid."""
        if any(name not in self.draft.constants for name in operator.inputs):
            return False
        if operator.op == "Cast":
            self._cast(operator)
        elif operator.op == "Gather":
            return self._looked_up(operator) or self._gathered(operator)
        elif operator.op == "Mul":
            return self._scaled(operator)
        return False

    def _cast(self, operator: Operator) -> None:
        """Remember codes that become indices; the cast itself is computed as ever."""
        stored = self.draft.constants[operator.inputs[0]]
        number = format_of_array(stored)
        is_narrow = isinstance(number, IntFormat) and number.bits <= WIDEST_CODE
        if is_narrow and operator.means_codes(0) and operator.get("to") in INDICES:
            assert number is not None
            self.places[operator.outputs[0]] = codes_of(stored, number)

    def _looked_up(self, operator: Operator) -> bool:
        table, places = (self.draft.constants[name] for name in operator.inputs)
        codes = self.places.get(operator.inputs[1])
        if codes is None or not self._is_real(operator.inputs[0]) or table.ndim != 1 or not codes.size:
            return False
        if int(places.min()) < 0 or int(places.max()) >= table.size:
            return False
        number = format_of_table(table)
        if number is None:
            return False
        output = operator.outputs[0]
        self.draft.constants[output] = codes.astype(number.storage_dtype)
        self.draft.grids[output] = QuantParams(format=number, scale=(1.0,))
        self.found.add(output)
        return True

    def _gathered(self, operator: Operator) -> bool:
        """Remember real numbers that are repeated along an axis; the repetition itself is computed as ever."""
        values, groups = (self.draft.constants[name] for name in operator.inputs)
        axis = int(operator.get("axis", 0))
        if self._is_real(operator.inputs[0]) and groups.ndim == 1 and -values.ndim <= axis < values.ndim:
            self.gathered[operator.outputs[0]] = values, groups, axis % values.ndim
        return False

    def _scaled(self, operator: Operator) -> bool:
        weight, scale = sorted(operator.inputs, key=lambda name: name not in self.found)
        if weight not in self.found or not self._is_real(scale):
            return False
        shape, numbers = self.draft.shape(weight), self.draft.constants[scale]
        if not (np.isfinite(numbers).all() and (numbers > 0).all()):
            return False
        spread = _of_groups(*self.gathered[scale], shape) if scale in self.gathered else _of_axis(numbers, shape)
        if spread is None:
            return False
        scales, granularity = spread
        number, output = self.draft.grids[weight].format, operator.outputs[0]
        self.draft.constants[output] = self.draft.constants[weight]
        self.draft.grids[output] = QuantParams(
            format=number,
            scale=tuple(scales.reshape(-1).tolist()),
            zero_point=(0,) * scales.size,
            granularity=granularity,
        )
        return True

    def _is_real(self, name: str) -> bool:
        return self.draft.constants[name].dtype == np.float32 and name not in self.draft.grids


def _of_axis(scales: np.ndarray, shape: tuple[int, ...]) -> Spread | None:
    """Return scales that broadcast against ``shape``, one or one per index of an axis; None where they are others."""
    if scales.size == 1 and scales.ndim <= len(shape):
        return scales, PER_TENSOR
    axes = _long_axes(scales, shape)
    return None if axes is None or len(axes) != 1 else (scales, Granularity(axis=axes[0]))


def _of_groups(scales: np.ndarray, groups: np.ndarray, axis: int, shape: tuple[int, ...]) -> Spread | None:
    """Return scales that groups of an axis share, alone, by one other axis, or (runs of one length) by all others."""
    count = scales.shape[axis]
    if scales.ndim != len(shape) or groups.shape != (shape[axis],) or set(groups.tolist()) != set(range(count)):
        return None
    others = _long_axes(scales[(slice(None),) * axis + ([0],)], shape)
    if others is None:
        return None
    members = tuple(int(group) for group in groups)
    if len(others) <= 1:
        by = others[0] if others else None
        ordered = scales if by is None or by < axis else scales.swapaxes(axis, by)
        return ordered, Granularity(axis=axis, groups=members, by=by)
    run = members.count(0)
    is_whole = all(size == shape[place] for place, size in enumerate(scales.shape) if place != axis)
    if not is_whole or members != Granularity.of_runs(axis, shape[axis], run).groups:
        return None
    return scales, Granularity(axis=axis, block=run)


def _long_axes(scales: np.ndarray, shape: tuple[int, ...]) -> list[int] | None:
    """Return the axes of ``shape`` along which there is more than one number; None where the numbers do not fit it."""
    sizes = (1,) * (len(shape) - scales.ndim) + scales.shape
    axes = [axis for axis, size in enumerate(sizes) if size > 1]
    return axes if len(sizes) == len(shape) and all(sizes[axis] == shape[axis] for axis in axes) else None
