"""How a real number becomes a code and back: ``real = scale * (operand(code) * unit - zero_point)``.

For integers ``operand(code) * unit`` is the code itself. Two orders of quantization exist, which differ on ties where the
zero point is odd and at the ends:

* ``round_then_offset``: ``clamp(round(x / scale) + zero_point)`` (ONNX QuantizeLinear, TensorFlow Lite);
* ``offset_clamp_round``: ``round(clamp(x / scale + zero_point))`` (QONNX's IntQuant, HailoRT).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.formats.storage import clipped
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.qonnx import round_as_qonnx
from hwsim.numerics.rounding import Rounding, round_real


class QuantOrder(StrEnum):
    """Whether the zero point is added after or before rounding."""

    ROUND_THEN_OFFSET = "round_then_offset"
    OFFSET_CLAMP_ROUND = "offset_clamp_round"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantParams:
    """The grid of one tensor.

    Args:
        format: the codes.
        scale: one positive float32-exact number per tensor, channel or block (row-major), in real units per code step. Of
            blocks, which are decoded before they are multiplied, it may be negative: some quantizers put the sign there.
            None means that only the width is known: such a graph can be priced but not executed.
        zero_point: the codes of real 0, one per scale; 0 for other formats than integers.
        granularity: which elements share a scale.
        order: of the steps of quantization.
        rounding: of numbers between two codes.
        saturate: what becomes of numbers beyond the ends, see ``Format.encode_real``; integers always saturate.
        is_found_at_run_time: the zero point of each inference is computed in it; ``zero_point`` only holds the place.

    Raises:
        HwsimError: a scale that is not positive and finite, counts that differ, a zero point that is no code.
    """

    format: Format
    scale: tuple[float, ...] | None = None
    zero_point: tuple[int, ...] = (0,)
    granularity: Granularity = PER_TENSOR
    order: QuantOrder = QuantOrder.ROUND_THEN_OFFSET
    rounding: Rounding = Rounding.HALF_EVEN
    saturate: bool = True
    is_found_at_run_time: bool = False

    def __post_init__(self) -> None:
        if self.scale is None:
            return
        if len(self.scale) != len(self.zero_point):
            raise HwsimError(
                f"quantization: {len(self.scale)} scales need as many zero points, not {len(self.zero_point)}"
            )
        if self.granularity.axis is None and len(self.scale) != 1:
            raise HwsimError(f"quantization: a per-tensor grid has one scale, not {len(self.scale)}")
        for scale in self.scale:
            if not (np.isfinite(scale) and (scale > 0 or (scale < 0 and self.granularity.block is not None))):
                raise HwsimError(f"quantization: scale must be positive and finite, not {scale}")
        for zero_point in set(self.zero_point):
            if isinstance(self.format, IntFormat):
                if not self.format.contains(zero_point):
                    raise HwsimError(f"quantization: zero point {zero_point} is not a code of {self.format}")
            elif zero_point != 0:
                raise HwsimError(
                    f"quantization: only integers have a zero point, so {self.format} has 0, not {zero_point}"
                )
        if self.order is QuantOrder.OFFSET_CLAMP_ROUND and not isinstance(self.format, IntFormat):
            raise HwsimError(f"quantization: the order {self.order} is one of integers, not of {self.format}")
        if isinstance(self.format, IntFormat) and not self.saturate:
            raise HwsimError("quantization: integer codes saturate; saturate=False is for floating and fixed point")

    @property
    def integers(self) -> IntFormat:
        """The format, where codes are integers; raise HwsimError where they are not.

        Arithmetic that adds, compares or offsets codes reads this; what multiplies reads ``Format.operands``.
        """
        if isinstance(self.format, IntFormat):
            return self.format
        raise HwsimError(
            f"quantization: integers are needed here, not {self.format}; multiply its operands, or decode it first"
        )

    @property
    def is_calibrated(self) -> bool:
        """Whether scales and zero points are known before any input, so that values can be computed."""
        return self.scale is not None and not self.is_found_at_run_time

    @property
    def is_symmetric(self) -> bool:
        """Whether real 0 is code 0 everywhere."""
        return not (self.is_found_at_run_time or any(self.zero_point))

    def scales(self) -> np.ndarray:
        """Return the scales as float32 ``[count]``; raise HwsimError where only the width is known."""
        if self.scale is None:
            raise HwsimError(
                f"quantization: the {self.format} grid has no scale yet; calibrate the graph before executing it"
            )
        return np.asarray(self.scale, dtype=np.float32)

    def operand_scales(self) -> np.ndarray:
        """Return the real value of operand 1 (``Format.operands``) as float32 ``[count]``: the scales, for integers."""
        unit = self.format.unit
        return self.scales() if unit == 1 else self.scales() * np.float32(float(unit))

    def zero_points(self) -> np.ndarray:
        """Return the zero points as int64 ``[count]``; raise HwsimError where each inference finds its own."""
        if self.is_found_at_run_time:
            raise HwsimError(f"quantization: the {self.format} grid has no zero point before an inference computes it")
        return np.asarray(self.zero_point, dtype=np.int64)

    def encode(self, real: np.ndarray) -> np.ndarray:
        """Return the codes of ``real`` as ``storage_dtype``; the division is one of float32. NaN becomes the smallest integer.

        In the order of ONNX, ``clamp(round(real / scale) + zero_point)`` (ONNX Runtime's MLAS clamps before it rounds,
        which gives the same codes); in that of QONNX, ``round(clamp(real / scale + zero_point))``, every step in float32.
        Formats without a zero point are cast: ``encode_real(real / scale)``.

        Raises:
            HwsimError: as ``Format.encode_real`` does; a shape that the granularity does not fit.
        """
        values = np.asarray(real, dtype=np.float32)
        quotient = values / self.granularity.spread(self.scales(), values.shape)
        if not isinstance(self.format, IntFormat):
            return self.format.encode_real(quotient, rounding=self.rounding, saturate=self.saturate)
        zero_point = self.granularity.spread(self.zero_points(), values.shape)
        if self.order is QuantOrder.OFFSET_CLAMP_ROUND:
            return _offset_clamp_round(quotient, zero_point, self.format, self.rounding)
        low = (self.format.minimum - zero_point).astype(np.float64)
        high = (self.format.maximum - zero_point).astype(np.float64)
        bounded = np.clip(np.nan_to_num(quotient.astype(np.float64), nan=-np.inf), low, high)
        return (round_real(bounded, self.rounding).astype(np.int64) + zero_point).astype(self.storage_dtype)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return ``scale * (code - zero_point)`` as float32 (ONNX DequantizeLinear), or ``scale * value`` of other formats."""
        codes = np.asarray(codes)
        scale = self.granularity.spread(self.scales(), codes.shape)
        if not isinstance(self.format, IntFormat):
            return self.format.decode(codes).astype(np.float32) * scale
        centred = codes.astype(np.int64) - self.granularity.spread(self.zero_points(), codes.shape)
        return centred.astype(np.float32) * scale

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest numpy integer type that holds every code."""
        return self.format.storage_dtype


def _offset_clamp_round(
    quotient: np.ndarray, zero_point: np.ndarray, number: IntFormat, rounding: Rounding
) -> np.ndarray:
    """Return codes as QONNX computes them in float32; a format of one signed bit is -1 and 0."""
    shifted = quotient + zero_point.astype(np.float32)
    bounded = np.clip(shifted, np.float32(number.minimum), np.float32(number.maximum))
    rounded = round_as_qonnx(bounded, rounding).astype(np.float64)
    return clipped(rounded, number.minimum, number.maximum, number.storage_dtype)
