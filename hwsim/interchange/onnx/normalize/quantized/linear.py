"""QuantizeLinear and DequantizeLinear, of ONNX and of com.microsoft."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx

from hwsim.errors import GraphError
from hwsim.interchange.onnx.element_types import REALS, format_of, stored, type_name
from hwsim.interchange.onnx.grid import grid_at, grouped
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import code_format, raw, read_on
from hwsim.interchange.reading.draft import Draft
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.quant_params import QuantParams

_UINT8 = IntFormat(bits=8, signed=False)
_EXACT_BITS = 16  # codes of so many bits survive dequantizing and quantizing on one grid


def quantize_linear(operator: Operator, draft: Draft) -> None:
    """QuantizeLinear: a ``Quantize`` node; a constant becomes codes; what is on that grid already needs nothing."""
    x, output = operator.inputs[0], operator.outputs[0]
    grid = grid_at(
        operator, draft, 1, 2, draft.shape(x), number=_declared(operator),
        axis=int(operator.get("axis", 1)), block=int(operator.get("block_size", 0)),
        saturate=bool(operator.get("saturate", 1)),
    )  # fmt: skip
    _note_precision(operator, draft, operator.get("precision", 0) or _element_type(draft, operator.inputs[1]))
    if operator.means_codes(0):
        x = raw(draft, x)
    draft.code_names.add(output)
    if x in draft.constants:
        grid = grouped(grid, draft.shape(x))
        draft.constants[output] = stored(grid.encode(draft.real(x)), _stored_type(operator, draft))
        draft.grids[output] = grid
    elif draft.grids.get(x) == grid and _survives(grid):
        draft.same_as(output, x)
    else:
        draft.emit("Quantize", operator.name, [x], [output])
        draft.grids[output] = grid


def _declared(operator: Operator) -> Format:
    """Return the format of the results where no zero point tells it."""
    wanted = int(operator.get("output_dtype", 0))
    if not wanted:
        return _UINT8
    found = format_of(wanted)
    if found is None:
        raise GraphError(f"output_dtype {type_name(wanted)} is no type of codes")
    return found


def _stored_type(operator: Operator, draft: Draft) -> int:
    if operator.has(2):
        return _element_type(draft, operator.inputs[2])
    return int(operator.get("output_dtype", 0)) or onnx.TensorProto.UINT8


def _element_type(draft: Draft, name: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(draft.constants[name].dtype))


def _survives(grid: QuantParams) -> bool:
    """Whether every code is the code of the number that it stands for, in float32."""
    if not isinstance(grid.format, IntFormat) or grid.format.bits > _EXACT_BITS:
        return False
    largest = float(grid.scales().max()) * 2.0 ** (grid.format.bits + 1)
    return largest <= float(np.finfo(np.float32).max)


def _note_precision(operator: Operator, draft: Draft, element_type: int) -> None:
    if element_type in REALS - {onnx.TensorProto.FLOAT}:
        draft.notes[
            f"{operator.op} computes in float32 where the file says {type_name(element_type)}: numbers next to a tie may "
            "get the neighbouring code"
        ] = None


def dequantize_linear(operator: Operator, draft: Draft) -> None:
    """DequantizeLinear: no node; reading codes means the real numbers on their grid."""
    x, output = operator.inputs[0], operator.outputs[0]
    grid = grid_at(
        operator, draft, 1, 2, draft.shape(x), number=code_format(draft, x),
        axis=int(operator.get("axis", 1)), block=int(operator.get("block_size", 0)),
    )  # fmt: skip
    if x in draft.constants:
        grid = grouped(grid, draft.shape(x))
        x, grid = _in_range(draft, x, grid)
    wanted = int(operator.get("output_dtype", 0)) or _element_type(draft, operator.inputs[1])
    _note_precision(operator, draft, wanted)
    name = read_on(draft, x, grid, None if x in draft.constants else output)
    if name != output:
        draft.same_as(output, name)


def _in_range(draft: Draft, x: str, grid: QuantParams) -> tuple[str, QuantParams]:
    """Return stored codes and their grid, in the format whose range a Clip keeps them in where there is one.

    Quantize, clip, dequantize: the form in which ONNX holds widths that it has no types for (QCDQ; Pappalardo et al. 2022,
    arXiv 2206.07527).
    """
    number = draft.ranges.get(x)
    if number is None or not all(number.contains(code) for code in grid.zero_point):
        return x, grid
    narrow = replace(grid, format=number)
    return draft.add_constant(x, draft.constants[x], narrow), narrow


NORMALIZERS: dict[str, Normalizer] = {
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "com.microsoft.QuantizeLinear": quantize_linear,
    "com.microsoft.DequantizeLinear": dequantize_linear,
}
