"""Trunc: a shift with rounding, between integers that keep their values or their scale.

The integer ``k = round(x / scale + zero_point)`` is shifted right and rounded once. On the way the codes are read on a grid of
scale 1, where division by a power of two is exact. Version 1 keeps the scale, so that the result is smaller by the shift;
version 2 gives the result a scale of its own and clamps it.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.qonnx.grids import integer_grid
from hwsim.interchange.qonnx.quantizers import int_format, rounding, single, whole
from hwsim.interchange.reading.draft import Draft
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding

REGISTER = IntFormat(bits=32)
_KEEPS_SIGN = frozenset(
    (
        "AveragePool", "GlobalAveragePool", "MaxPool", "GlobalMaxPool", "ReduceMean", "Reshape", "Flatten", "Transpose",
        "Squeeze", "Unsqueeze", "Add", "Sum", "Mul", "Concat", "Identity",
    )
)  # fmt: skip


def trunc(operator: Operator, draft: Draft) -> None:
    """Trunc of both versions: x, scale, zero point, input bits[, output scale], output bits."""
    scale, zero_point = single(operator, draft, 1, "scale"), single(operator, draft, 2, "zero point")
    mode = rounding(operator, "FLOOR")
    second = operator.has(5)
    out_bits = whole(operator, draft, 5 if second else 4, "output bit width")
    if second:
        out_scale = single(operator, draft, 4, "output scale")
        shift = _exponent(out_scale, scale)
        number = int_format(out_bits, bool(operator.get("signed", 1)), bool(operator.get("narrow", 0)))
        zero = zero_point / np.float32(2.0**shift)
    else:
        out_scale, zero = scale, zero_point
        shift = whole(operator, draft, 3, "input bit width") - out_bits
        number = _unclamped(operator, draft, out_bits, zero_point, mode)
        number = number if number.contains(int(zero_point)) else REGISTER
    shape = draft.shape(operator.inputs[0])
    given = integer_grid(np.array(scale), np.array(zero_point), REGISTER, Rounding.HALF_EVEN, shape)
    target = integer_grid(np.array(out_scale), np.array(zero), number, Rounding.HALF_EVEN, shape)
    shifted(operator, draft, operator.inputs[0], given, shift, mode, target)


def shifted(
    operator: Operator, draft: Draft, source: str, given: QuantParams, shift: int, mode: Rounding, target: QuantParams
) -> None:
    """Emit ``round(k / 2^shift)`` of the integers ``k`` that ``source`` has on ``given``, read on the grid ``target``."""
    output, name = operator.outputs[0], operator.name
    integers = QuantParams(format=REGISTER, scale=(1.0,))
    coarse = QuantParams(format=target.format, scale=(2.0**shift,), order=QuantOrder.OFFSET_CLAMP_ROUND, rounding=mode)
    if source in draft.constants:
        draft.constants[output] = coarse.encode(given.encode(draft.real(source)).astype(np.float32))
        draft.grids[output] = target
        return
    steps = ("integers", "read", "shifted")
    whole_numbers, plain, moved = (f"{output}/{step}" for step in steps)
    draft.emit("Quantize", f"{name}/integers", [source], [whole_numbers])
    _read_as(draft, f"{name}/read", whole_numbers, plain, given, integers)
    draft.emit("Quantize", name, [plain], [moved])
    _read_as(draft, f"{name}/scale", moved, output, coarse, target)
    draft.grids.update({whole_numbers: given, plain: integers, moved: coarse, output: target})


def _read_as(draft: Draft, name: str, source: str, output: str, old: QuantParams, new: QuantParams) -> None:
    """Emit a Reinterpret: the same codes on another grid."""
    factor = float(new.scales()[0]) / float(old.scales()[0])
    offset = float(new.scales()[0]) * (old.zero_point[0] - new.zero_point[0])
    draft.emit("Reinterpret", name, [source], [output], factor=factor, offset=offset)


def _exponent(out_scale: np.float32, scale: np.float32) -> int:
    """Return the shift of version 2; as in qonnx, scales whose ratio is not quite a power of two mean the nearest one."""
    if not (out_scale > 0 and scale > 0):
        raise GraphError(f"its scales must be positive, not {scale:g} and {out_scale:g}")
    shift = int(np.rint(np.log2(out_scale / scale)))
    if shift < 0:
        raise GraphError(f"its output scale {out_scale:g} is finer than its scale {scale:g}, which truncates nothing")
    return shift


def _unclamped(operator: Operator, draft: Draft, bits: int, zero_point: np.float32, mode: Rounding) -> IntFormat:
    """Return the codes of version 1, which neither says whether they are signed nor clamps what is rounded up."""
    if mode not in (Rounding.FLOOR, Rounding.TO_ZERO):
        bits += 1
    if zero_point == 0 and is_non_negative(draft, operator.inputs[0]):
        return int_format(bits, signed=False, narrow=False)
    draft.notes[
        f"node {operator.name!r} (Trunc) does not say whether its codes are signed: one more bit holds either"
    ] = None
    return int_format(bits + 1, signed=True, narrow=False)


def is_non_negative(draft: Draft, name: str) -> bool:
    """Whether the tensor is known to hold no negative number: an unsigned grid, a ReLU, or sums and moves of such."""
    if name in draft.constants:
        return bool((draft.real(name) >= 0).all())
    grid = draft.grids.get(name)
    if grid is not None:
        return grid.format.operand_range[0] >= 0 and grid.is_symmetric
    producer = draft.producer.get(name)
    if producer is None:
        return False
    if producer.op in ("Relu", "Sigmoid", "HardSigmoid", "Softmax", "Exp", "Sqrt"):
        return True
    return producer.op in _KEEPS_SIGN and all(is_non_negative(draft, each) for each in producer.inputs if each)
