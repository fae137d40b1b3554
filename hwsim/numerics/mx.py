"""OCP Microscaling (MX) blocks: elements of 4 to 8 bits that share a power-of-two scale, an e8m0 code.

Specification: OCP Microscaling Formats v1.0. The scale is ``2^(floor(log2(max |x|)) - emax)`` of the block, where ``emax`` is
the exponent of the element's largest number; elements are ``x / scale`` rounded, and saturate. What the specification
leaves open is as in Microsoft's microxcaling (``mx/mx_ops.py: _quantize_mx``): scales below 2^-127 become 2^-127, above
2^127, as with infinity or NaN in the block, NaN; a block of zeros has the scale of 2^-126; mxint8 is symmetric. Its
``nearest`` is ``half_away``, ``even`` is ``half_even`` and ``floor`` is ``to_zero``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.formats import FloatFormat, IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding

SCALE = FloatFormat.parse("e8m0")
SCALE_BIAS = 127
NAN_SCALE = 255
BLOCK = 32
ZERO_EXPONENT = -126
MXINT8_FRACTION_BITS = 6
ELEMENTS = {
    "mxfp8e5m2": "fp8e5m2",
    "mxfp8e4m3": "fp8e4m3fn",
    "mxfp6e3m2": "fp6e3m2",
    "mxfp6e2m3": "fp6e2m3",
    "mxfp4": "fp4e2m1",
    "mxint8": "int8n",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MxTensor:
    """A tensor in MX blocks.

    Args:
        scales: e8m0 codes, uint8, of the tensor's shape with ``ceil(size / block)`` along ``axis``; 255 is NaN.
        elements: codes of the tensor's shape: uint8, for mxint8 int8.
        axis: along which the blocks run, counted from the front.
    """

    scales: np.ndarray
    elements: np.ndarray
    axis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MxFormat:
    """An MX format by its name: mxfp8e5m2, mxfp8e4m3, mxfp6e3m2, mxfp6e2m3, mxfp4 or mxint8.

    Args:
        name: the name.
        block: elements that share a scale; 32 in the specification.

    Raises:
        HwsimError: an unknown name, a block of no elements.

    >>> packed = MxFormat(name="mxfp4", block=4).encode(np.array([1.0, -3.0, 0.5, 12.0]))
    >>> packed.scales.tolist(), packed.elements.tolist(), MxFormat(name="mxfp4", block=4).decode(packed).tolist()
    ([128], [1, 11, 0, 7], [1.0, -3.0, 0.0, 12.0])
    """

    name: str
    block: int = BLOCK

    def __post_init__(self) -> None:
        if self.name not in ELEMENTS:
            raise HwsimError(f"mx: format {self.name!r} is unknown{did_you_mean(self.name, ELEMENTS)}")
        if self.block < 1:
            raise HwsimError(f"mx: a block has 1 or more elements, not {self.block}")

    @property
    def element(self) -> FloatFormat | IntFormat:
        """Format of the elements; those of mxint8 count in steps of 2^-6."""
        text = ELEMENTS[self.name]
        return FloatFormat.parse(text) if text.startswith("fp") else IntFormat.parse(text)

    @property
    def step_exponent(self) -> int:
        """Exponent of two of what element 1 stands for: -6 for mxint8, 0 for floating-point elements."""
        return -MXINT8_FRACTION_BITS if isinstance(self.element, IntFormat) else 0

    @property
    def bits_per_element(self) -> float:
        """Storage of one element with its share of the scale."""
        return self.element.bits + SCALE.bits / self.block

    def encode(self, real: np.ndarray, *, axis: int = -1, rounding: Rounding = Rounding.HALF_EVEN) -> MxTensor:
        """Return the codes of ``real``; elements of a block whose scale is NaN are 0.

        Args:
            real: numbers of any floating type, one or more dimensions.
            axis: along which blocks run; the last one may be shorter.
            rounding: of the elements.
        """
        values = np.asarray(real, dtype=np.float64)
        if values.ndim == 0:
            raise HwsimError("mx: a single number has no axis to run along; reshape it to one dimension")
        axis = axis % values.ndim
        starts = np.arange(0, values.shape[axis], self.block)
        peaks = np.maximum.reduceat(np.abs(values), starts, axis=axis) if starts.size else np.abs(values)
        scales = self._scales(peaks)
        exponent = Granularity(axis=axis, block=self.block).spread(scales.ravel().astype(np.int64), values.shape)
        unusable = exponent == NAN_SCALE
        scaled = np.ldexp(np.where(unusable, 0.0, values), SCALE_BIAS - exponent - self.step_exponent)
        return MxTensor(scales=scales, elements=self.element.encode_real(scaled, rounding=rounding), axis=axis)

    def _scales(self, peaks: np.ndarray) -> np.ndarray:
        """Return the e8m0 codes of blocks with these largest magnitudes."""
        usable = np.isfinite(peaks)
        exponent = np.frexp(np.where(usable, peaks, 1.0))[1].astype(np.int64) - 1
        exponent = np.where(peaks == 0, ZERO_EXPONENT, exponent)
        largest = 0 if isinstance(self.element, IntFormat) else self.element.largest_exponent
        code = np.maximum(exponent - largest + SCALE_BIAS, 0)
        return np.where(usable & (code < NAN_SCALE), code, NAN_SCALE).astype(np.uint8)

    def decode(self, packed: MxTensor) -> np.ndarray:
        """Return the values as float64, exact; NaN in blocks whose scale is NaN."""
        grouped = Granularity(axis=packed.axis, block=self.block)
        exponent = grouped.spread(packed.scales.ravel().astype(np.int64), packed.elements.shape)
        values = np.ldexp(self.element.decode(packed.elements), exponent - SCALE_BIAS + self.step_exponent)
        return np.where(exponent == NAN_SCALE, np.nan, values)

    def params(self, packed: MxTensor) -> QuantParams:
        """Return the grid of ``packed``: its elements as codes under blocked scales; raise HwsimError for a NaN scale.

        A weight on such a grid, by activations of one scale, runs on the array: its scales are powers of two, so that
        ``datapath.segment_scaling = shift`` rescales each block exactly where the accumulator has fraction bits enough.
        """
        codes = packed.scales.ravel()
        if (codes == NAN_SCALE).any():
            raise HwsimError(f"mx: {int((codes == NAN_SCALE).sum())} blocks have the scale NaN; check the data")
        steps = SCALE.decode(codes) * 2.0**self.step_exponent
        return QuantParams(
            format=self.element,
            scale=tuple(steps.tolist()),
            zero_point=(0,) * codes.size,
            granularity=Granularity(axis=packed.axis, block=self.block),
        )

    def __str__(self) -> str:
        return self.name if self.block == BLOCK else f"{self.name}/{self.block}"
