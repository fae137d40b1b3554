"""From the operands of QONNX's quantizers to grids."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError, HwsimError
from hwsim.numerics.formats import BIPOLAR, FloatFormat, Format, IntFormat, Specials
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding

Shape = tuple[int, ...]


def integer_grid(
    scale: np.ndarray, zero_point: np.ndarray, number: IntFormat, rounding: Rounding, shape: Shape
) -> QuantParams:
    """Return the grid of IntQuant: ``round(clamp(x / scale + zero_point))``.

    Args:
        scale: positive, in a shape that broadcasts against the tensor.
        zero_point: whole numbers, likewise.
        number: the codes.
        rounding: of numbers between two codes.
        shape: of the tensor.

    Raises:
        GraphError: a zero point that is no code, scales that are not per tensor, channel, block or group of channels.
    """
    whole = np.rint(zero_point)
    if not np.array_equal(whole, zero_point):
        fraction = float(zero_point.reshape(-1)[np.flatnonzero(whole.reshape(-1) != zero_point.reshape(-1))[0]])
        raise GraphError(
            f"zero point {fraction:g} is no whole number, so real 0 has no code; export the model with integer zero points"
        )
    granularity, scales, zeros = _partition(scale, whole, shape)
    if np.array_equal(zeros, np.zeros_like(zeros)) and rounding is Rounding.HALF_EVEN:
        order = QuantOrder.ROUND_THEN_OFFSET  # the same codes, under the name that most hardware has
    else:
        order = QuantOrder.OFFSET_CLAMP_ROUND
    return _params(number, scales, zeros, granularity, order, rounding)


def bipolar_grid(scale: np.ndarray, shape: Shape) -> QuantParams:
    """Return the grid of BipolarQuant: ``-scale`` and ``+scale``, which 0 becomes."""
    granularity, scales, zeros = _partition(scale, np.zeros((), np.float32), shape)
    return _params(BIPOLAR, scales, zeros, granularity, QuantOrder.ROUND_THEN_OFFSET, Rounding.HALF_EVEN)


def float_grid(scale: np.ndarray, number: FloatFormat, rounding: Rounding, saturate: bool, shape: Shape) -> QuantParams:
    """Return the grid of FloatQuant: ``x / scale`` rounded to a value of ``number``."""
    granularity, scales, zeros = _partition(scale, np.zeros((), np.float32), shape)
    return _params(number, scales, zeros, granularity, QuantOrder.ROUND_THEN_OFFSET, rounding, saturate)


def float_format(
    exponent_bits: int, mantissa_bits: int, bias: int, largest: float, *, has_inf: bool, has_nan: bool
) -> FloatFormat:
    """Return FloatQuant's format: subnormals exist, and numbers end at ``largest`` or where the exponent ends.

    Raises:
        GraphError: a largest number that is no value of the format, widths that no format has.
    """

    def made(specials: Specials, end: float | None) -> FloatFormat:
        try:
            return FloatFormat(
                exponent_bits=exponent_bits, mantissa_bits=mantissa_bits, bias=bias, specials=specials, largest=end
            )
        except HwsimError as error:
            raise GraphError(str(error)) from None

    specials = Specials.IEEE if has_inf else Specials.FN if has_nan else Specials.FINITE
    number = made(specials, None)
    if largest > number.maximum:  # the file leaves the specials no code: its numbers reach beyond them
        number = made(Specials.FINITE, None)
    return number if largest >= number.maximum else made(number.specials, largest)


def _params(
    number: Format, scales: np.ndarray, zeros: np.ndarray, granularity: Granularity, order: QuantOrder,
    rounding: Rounding, saturate: bool = True,
) -> QuantParams:  # fmt: skip
    try:
        return QuantParams(
            format=number,
            scale=tuple(float(value) for value in scales.astype(np.float32).reshape(-1)),
            zero_point=tuple(int(value) for value in zeros.reshape(-1)),
            granularity=granularity,
            order=order,
            rounding=rounding,
            saturate=saturate,
        )
    except HwsimError as error:
        raise GraphError(str(error)) from None


def _partition(scale: np.ndarray, zero_point: np.ndarray, shape: Shape) -> tuple[Granularity, np.ndarray, np.ndarray]:
    """Return which elements share a scale and a zero point, and both, one for each part in row-major order."""
    both = np.broadcast_shapes(scale.shape, zero_point.shape)
    scales, zeros = np.broadcast_to(scale, both), np.broadcast_to(zero_point, both)
    if scales.size == 1:
        return PER_TENSOR, scales, zeros
    sizes = (1,) * (len(shape) - len(both)) + both
    axes = [axis for axis, size in enumerate(sizes) if size != 1]
    if len(sizes) == len(shape) and all(sizes[axis] == shape[axis] for axis in axes):
        if len(axes) == 1:
            return Granularity(axis=axes[0]), scales, zeros
        for axis in reversed(axes):
            block = _run(scales.reshape(sizes), zeros.reshape(sizes), axis)
            if block == 1:
                continue
            firsts = np.arange(0, shape[axis], block)
            parts = [np.take(values.reshape(sizes), firsts, axis=axis) for values in (scales, zeros)]
            if axes == [0, axis] and len(shape) > 2 and scales.min() > 0:  # a convolution's groups of input channels
                return Granularity.of_runs(axis, shape[axis], block, by=0), parts[0], parts[1]
            if sizes == shape:
                return Granularity(axis=axis, block=block), parts[0], parts[1]
    raise GraphError(
        f"scale and zero point of shape {list(both)} are neither one number, one per channel nor one per block of the "
        f"tensor {list(shape)}; export the model with one of these"
    )


def _run(scales: np.ndarray, zeros: np.ndarray, axis: int) -> int:
    """Return the length of the blocks along ``axis`` within which nothing changes (the last may be shorter)."""
    other = tuple(dim for dim in range(scales.ndim) if dim != axis)
    changes = ((np.diff(scales, axis=axis) != 0) | (np.diff(zeros, axis=axis) != 0)).any(axis=other)
    steps = np.flatnonzero(changes) + 1
    if not steps.size:
        return int(scales.shape[axis])
    return int(np.gcd.reduce(steps))
