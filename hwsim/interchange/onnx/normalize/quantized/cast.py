"""Cast and CastLike between real numbers and codes: a code stands for itself, on a grid of scale 1."""

from __future__ import annotations

from dataclasses import replace

import onnx

from hwsim.errors import GraphError
from hwsim.interchange.onnx.element_types import REALS, element_type, format_of
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.identity import cast as cast_real
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import code_format, raw
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import raw_grid
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding

_E8M0_ROUNDING = {"up": Rounding.AWAY, "down": Rounding.TO_ZERO, "nearest": Rounding.HALF_UP}


def cast(operator: Operator, draft: Draft) -> None:
    """Cast: codes to real numbers and back, codes to wider codes; real numbers are cut to integers, rounded to floating point."""
    _to(operator, draft, int(operator.get("to", 0)))


def cast_like(operator: Operator, draft: Draft) -> None:
    """CastLike: a Cast to the type of the second operand."""
    like = operator.inputs[1]
    if operator.means_codes(1):
        target = element_type(code_format(draft, like))
    elif like in draft.constants:
        target = int(onnx.helper.np_dtype_to_tensor_dtype(draft.constants[like].dtype))
    else:
        target = onnx.TensorProto.FLOAT
    _to(operator.changed(inputs=operator.inputs[:1]), draft, target)


def _to(operator: Operator, draft: Draft, target: int) -> None:
    x, output, number = operator.inputs[0], operator.outputs[0], format_of(target)
    if operator.means_codes(0):
        x = raw(draft, x)
        if target in REALS:
            draft.same_as(output, x)
            return
        own = code_format(draft, x)
        if isinstance(own, IntFormat) and isinstance(number, IntFormat) and not _holds(number, own):
            raise GraphError(
                f"a cast of {own} codes to {number}, which drops high bits, is not supported; dequantize them"
            )
    if number is None:
        cast_real(operator.changed(attributes={**operator.attributes, "to": target}), draft)
        return
    draft.emit("Quantize", operator.name, [x], [output])
    draft.grids[output] = _grid(operator, number)
    draft.code_names.add(output)


def _holds(wide: IntFormat, narrow: IntFormat) -> bool:
    return wide.contains(narrow.minimum) and wide.contains(narrow.maximum)


def _grid(operator: Operator, number: Format) -> QuantParams:
    """Return the grid of a cast: integers are cut, floating point is rounded to even and saturates where the node says so."""
    if isinstance(number, IntFormat):
        return replace(raw_grid(number), rounding=Rounding.TO_ZERO)
    saturate = bool(operator.get("saturate", 1))
    if str(number) != "e8m0":
        return replace(raw_grid(number), saturate=saturate)
    mode = operator.get("round_mode", "up")
    if mode not in _E8M0_ROUNDING:
        raise GraphError(f"round_mode must be one of {', '.join(_E8M0_ROUNDING)}, not {mode!r}")
    return replace(raw_grid(number), rounding=_E8M0_ROUNDING[mode], saturate=saturate)


NORMALIZERS: dict[str, Normalizer] = {"Cast": cast, "CastLike": cast_like}
