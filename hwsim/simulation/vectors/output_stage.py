"""From sums to results: the constants of the layer's requantizer as it holds them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from hwsim.execute.integer import Layer
from hwsim.execute.integer.floating import is_floating
from hwsim.execute.integer.requantize import code_range
from hwsim.execute.integer.rescaling import accumulator_units, has_real_sums, leaves_raw, output_ratio
from hwsim.hardware.requantizer_circuit import MULTIPLIER_BITS, SHIFT_BITS
from hwsim.interchange.vectors.vector import MAX_BITS, Vector
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers.thresholds import thresholds_of
from hwsim.simulation.vectors.widths import at_least


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputStage:
    """What happens to a sum.

    Args:
        unit: the requantizer; None where the sum leaves without one.
        facts: of the index: ``rule`` (``requantize``, ``raw``: low bits of the sum, ``real``: float32 of the sum times
            ``unit_scale``, ``quantize``: that, divided by the scale of the result and rounded, ``cast``: rounded to a format of
            other numbers than integers), the unit, output zero point and clamp codes.
        vectors: constants ``[group, n]``; thresholds ``[group, n, level]``.
    """

    unit: Requantizer | None
    facts: dict[str, Any]
    vectors: tuple[Vector, ...]


def output_stage(layer: Layer, groups: int, n: int) -> OutputStage:
    """Return how the sums of a product with ``groups`` and ``n`` columns become the layer's results."""
    coded = layer.output_is_coded()
    is_integer = coded and isinstance(layer.output_grid().format, IntFormat)
    if not is_integer or has_real_sums(layer) or is_floating(layer):
        unit = np.ones(1) if is_floating(layer) else accumulator_units(layer)
        facts = _encode(layer.output_grid(), layer.node.clamp) if coded else {"rule": "real"}
        facts |= {"clamp_real": list(layer.node.clamp)}
        scale = _constant("unit_scale", unit.astype(np.float32), groups, n, 0)
        return OutputStage(unit=None, facts=facts, vectors=(scale,))
    grid = layer.output_grid()
    low, high = code_range(grid, layer.node.clamp)
    ends = {"zero_point": grid.zero_point[0], "clamp_low": low, "clamp_high": high}
    if leaves_raw(layer):
        return OutputStage(unit=None, facts={"rule": "raw", **ends}, vectors=())
    requantizer = layer.requantizer
    keys = {key: _plain(value) for key, value in asdict(requantizer).items()}
    constants = definition(requantizer.scheme).constants(np.atleast_1d(output_ratio(layer)), requantizer)
    vectors: tuple[Vector, ...]
    if requantizer.scheme == "thresholds":
        vectors = (_thresholds(constants.multiplier, grid.zero_point[0], low, high, groups, n),)
    else:
        vectors = (
            _constant("multiplier", constants.multiplier, groups, n, requantizer.multiplier_bits or MULTIPLIER_BITS),
            _constant("shift", constants.shift, groups, n, SHIFT_BITS),
        )
    return OutputStage(
        unit=requantizer, facts={"rule": "requantize", "unit": str(requantizer), **keys, **ends}, vectors=vectors
    )


def _encode(grid: QuantParams, clamp: tuple[float | None, float | None]) -> dict[str, Any]:
    """Return how a real result becomes a code of ``grid`` (``QuantParams.encode``): one float32 division, one rounding."""
    facts = {"scale": float(grid.scales()[0]), "rounding": str(grid.rounding)}
    if not isinstance(grid.format, IntFormat):
        return {"rule": "cast", **facts, "format": str(grid.format), "saturate": grid.saturate}
    low, high = code_range(grid, clamp)
    return {
        "rule": "quantize",
        **facts,
        "order": str(grid.order),
        "zero_point": grid.zero_point[0],
        "clamp_low": low,
        "clamp_high": high,
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value


def _thresholds(scales: np.ndarray, zero_point: int, low: int, high: int, groups: int, n: int) -> Vector:
    """Return the table of ``thresholds``: the code is ``low`` plus the number of thresholds that the sum reaches.

    A threshold beyond 64 bits is never, or always, reached: it is written as the nearest 64-bit number that is not.
    """
    columns = [thresholds_of(float(scale), zero_point, low, high) for scale in scales]
    ends = -(1 << (MAX_BITS - 1)), (1 << (MAX_BITS - 1)) - 1
    table = np.array([[min(max(value, ends[0]), ends[1]) for value in column] for column in columns], np.int64)
    return _constant("thresholds", table.reshape(len(columns), high - low), groups, n, 2)


def _constant(name: str, values: np.ndarray, groups: int, n: int, bits: int) -> Vector:
    """Return a constant per output column as ``[group, n, ...]``, whether it is stored once, per column or per group's column."""
    more = values.shape[1:]
    spread = values if values.shape[0] == groups * n else np.broadcast_to(values, (n, *more))
    spread = np.broadcast_to(spread.reshape(-1, n, *more), (groups, n, *more))
    axes = ("group", "n", *("level" for _ in more))
    about = f"{name} of each output column"
    width = 8 * spread.itemsize if spread.dtype.kind == "f" else at_least(bits, spread)
    return Vector(name=name, values=spread, bits=width, signed=True, axes=axes, about=about)
