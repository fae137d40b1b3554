"""How a real number becomes a code and back: ``real = scale * (code - zero_point)``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantParams:
    """The grid of one tensor.

    Args:
        format: the codes.
        scale: one positive float32-exact number per tensor or per channel, in real units per code step. None means that
            only the width is known: such a graph can be priced but not executed.
        zero_point: the codes of real 0, one per scale.
        granularity: which elements share a scale.

    Raises:
        HwsimError: a scale that is not positive and finite, counts that differ, a zero point that is no code.
    """

    format: IntFormat
    scale: tuple[float, ...] | None = None
    zero_point: tuple[int, ...] = (0,)
    granularity: Granularity = PER_TENSOR

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
            if not (np.isfinite(scale) and scale > 0):
                raise HwsimError(f"quantization: scale must be positive and finite, not {scale}")
        for zero_point in self.zero_point:
            if not self.format.contains(zero_point):
                raise HwsimError(f"quantization: zero point {zero_point} is not a code of {self.format}")

    @property
    def is_calibrated(self) -> bool:
        """Whether the scales are known, so that values can be computed."""
        return self.scale is not None

    @property
    def is_symmetric(self) -> bool:
        """Whether real 0 is code 0 everywhere."""
        return not any(self.zero_point)

    def scales(self) -> np.ndarray:
        """Return the scales as float32 ``[count]``; raise HwsimError where only the width is known."""
        if self.scale is None:
            raise HwsimError(
                f"quantization: the {self.format} grid has no scale yet; calibrate the graph before executing it"
            )
        return np.asarray(self.scale, dtype=np.float32)

    def zero_points(self) -> np.ndarray:
        """Return the zero points as int64 ``[count]``."""
        return np.asarray(self.zero_point, dtype=np.int64)

    def encode(self, real: np.ndarray) -> np.ndarray:
        """Return the codes of ``real`` as ``storage_dtype``, in the order of ONNX QuantizeLinear.

        ``code = clamp(round_half_even(real / scale) + zero_point)``, the division in float32 (ONNX QuantizeLinear; ONNX
        Runtime's MLAS clamps before it rounds, which gives the same codes). NaN becomes the smallest code.
        """
        rank = np.ndim(real)
        scale = self.scales().reshape(self.granularity.shape(len(self.zero_point), rank))
        zero_point = self.zero_points().reshape(scale.shape)
        quotient = np.asarray(real, dtype=np.float32) / scale
        low = (self.format.minimum - zero_point).astype(np.float64)
        high = (self.format.maximum - zero_point).astype(np.float64)
        rounded = np.rint(np.clip(np.nan_to_num(quotient.astype(np.float64), nan=-np.inf), low, high))
        return (rounded.astype(np.int64) + zero_point).astype(self.storage_dtype)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return ``scale * (code - zero_point)`` as float32 (ONNX DequantizeLinear)."""
        scale = self.scales().reshape(self.granularity.shape(len(self.zero_point), np.ndim(codes)))
        centred = np.asarray(codes, dtype=np.int64) - self.zero_points().reshape(scale.shape)
        return centred.astype(np.float32) * scale

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest numpy integer type that holds every code."""
        for name in (
            ("int8", "int16", "int32", "int64") if self.format.signed else ("uint8", "uint16", "uint32", "uint64")
        ):
            if np.iinfo(name).bits >= self.format.bits:
                return np.dtype(name)
        raise HwsimError(f"quantization: no storage type for {self.format}")
