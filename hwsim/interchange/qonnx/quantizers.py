"""Quant, IntQuant, BipolarQuant and FloatQuant: constants become codes, activations get a Quantize."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError, HwsimError
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.qonnx.grids import bipolar_grid, float_format, float_grid, integer_grid
from hwsim.interchange.reading.draft import Draft
from hwsim.numerics.formats import MAX_BITS, IntFormat
from hwsim.numerics.qonnx import rounding_of
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding

EXACT_BITS = 16  # codes of so many bits survive decoding and encoding in float32


def int_quant(operator: Operator, draft: Draft) -> None:
    """Quant and IntQuant: x, scale, zero point, bits. One signed bit means -1 and +1."""
    scale, zero_point = constant(operator, draft, 1, "scale"), constant(operator, draft, 2, "zero point")
    bits = whole(operator, draft, 3, "bit width")
    shape = draft.shape(operator.inputs[0])
    if bits == 1 and operator.get("signed", 1):
        if zero_point.any():
            raise GraphError(
                "one signed bit means -1 and +1, which have no zero point; export the model with zero point 0"
            )
        grid = bipolar_grid(scale, shape)
    else:
        number = int_format(bits, bool(operator.get("signed", 1)), bool(operator.get("narrow", 0)))
        grid = integer_grid(scale, zero_point, number, rounding(operator, "ROUND"), shape)
    quantized(operator, draft, grid)


def bipolar_quant(operator: Operator, draft: Draft) -> None:
    """BipolarQuant: x, scale."""
    scale = constant(operator, draft, 1, "scale")
    quantized(operator, draft, bipolar_grid(scale, draft.shape(operator.inputs[0])))


def float_quant(operator: Operator, draft: Draft) -> None:
    """FloatQuant: x, scale, exponent bits, mantissa bits, exponent bias, largest number.

    As in qonnx's execution, subnormal numbers exist whatever ``has_subnormal`` says.
    """
    scale = constant(operator, draft, 1, "scale")
    exponent_bits, mantissa_bits, bias = (
        whole(operator, draft, index, role)
        for index, role in ((2, "exponent width"), (3, "mantissa width"), (4, "exponent bias"))
    )
    largest = float(single(operator, draft, 5, "largest number"))
    number = float_format(
        exponent_bits, mantissa_bits, bias, largest,
        has_inf=bool(operator.get("has_inf", 0)), has_nan=bool(operator.get("has_nan", 0)),
    )  # fmt: skip
    saturate = bool(operator.get("saturation", 1))
    shape = draft.shape(operator.inputs[0])
    quantized(operator, draft, float_grid(scale, number, rounding(operator, "ROUND"), saturate, shape))


def quantized(operator: Operator, draft: Draft, grid: QuantParams) -> None:
    """Put the operator's input onto ``grid``: a constant as codes, an activation by a Quantize unless it is there already."""
    source, target = operator.inputs[0], operator.outputs[0]
    if source not in draft.constants and draft.grids.get(source) == grid and grid.format.bits <= EXACT_BITS:
        draft.same_as(target, source)
        return
    if source in draft.constants:
        draft.constants[target] = grid.encode(draft.real(source))
    else:
        draft.emit("Quantize", operator.name, [source], [target])
    draft.grids[target] = grid


def int_format(bits: int, signed: bool, narrow: bool) -> IntFormat:
    """Return an integer format; raise GraphError for a width that does not exist."""
    if not 1 <= bits <= MAX_BITS:
        raise GraphError(f"its bit width must be 1..{MAX_BITS}, not {bits}")
    try:
        return IntFormat(bits=bits, signed=signed, narrow=narrow)
    except HwsimError as error:
        raise GraphError(str(error)) from None


def rounding(operator: Operator, default: str) -> Rounding:
    """Return the operator's rounding; raise GraphError for a mode that QONNX does not have."""
    try:
        return rounding_of(operator.get("rounding_mode", default))
    except HwsimError as error:
        raise GraphError(str(error)) from None


def constant(operator: Operator, draft: Draft, index: int, role: str) -> np.ndarray:
    """Return a constant operand as float32; raise GraphError where it is missing or depends on an input."""
    if not operator.has(index):
        raise GraphError(f"its {role} (input {index}) is missing; export the model again")
    name = operator.inputs[index]
    if name not in draft.constants:
        raise GraphError(
            f"its {role} {name!r} is computed from an input, and a grid must be known before; export the model with "
            "frozen quantization parameters"
        )
    return draft.real(name).astype(np.float32)


def single(operator: Operator, draft: Draft, index: int, role: str) -> np.float32:
    """Return a constant operand of one number."""
    values = constant(operator, draft, index, role)
    if values.size != 1:
        raise GraphError(f"its {role} must be one number, not {values.size}")
    return np.float32(values.reshape(()))


def whole(operator: Operator, draft: Draft, index: int, role: str) -> int:
    """Return a constant operand of one whole number."""
    value = single(operator, draft, index, role)
    if value != np.rint(value):
        raise GraphError(f"its {role} must be a whole number, not {value:g}")
    return int(value)
