"""Arithmetic on two or more tensors, with the broadcasting of operator sets before 7 made explicit."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.constants import first_row, reshaped_constant
from hwsim.interchange.reading.draft import Draft


def binary(operator: Operator, draft: Draft) -> None:
    """Add, Sub, Mul, Div and Pow."""
    left, right = operator.inputs
    if operator.opset < 7 and "axis" in operator.attributes:
        right = align(operator, draft, left, right, operator.get("axis"))
    draft.emit(operator.op, operator.name, [left, right], operator.outputs)


def align(operator: Operator, draft: Draft, left: str, right: str, axis: int) -> str:
    """Return ``right`` with trailing dimensions of size 1, so that its first dimension meets ``axis`` of ``left``."""
    rank, size = len(draft.shape(left)), draft.shape(right)
    trailing = rank - positive_axis(axis, rank) - len(size)
    if trailing <= 0:
        return right
    if right in draft.constants:
        return reshaped_constant(draft, right, f"{right}.aligned", (*size, *(1,) * trailing))
    axes = tuple(range(len(size), len(size) + trailing))
    output = f"{operator.outputs[0]}/aligned"
    return draft.emit("Unsqueeze", f"{operator.name}/unsqueeze", [right], [output], axes=axes)


def total(operator: Operator, draft: Draft) -> None:
    """Sum; of one tensor it is the tensor."""
    if len(operator.inputs) == 1:
        draft.same_as(operator.outputs[0], operator.inputs[0])
    else:
        draft.emit("Sum", operator.name, operator.inputs, operator.outputs)


def reciprocal(operator: Operator, draft: Draft) -> None:
    """Reciprocal: one divided by x."""
    one = draft.add_constant(f"{operator.outputs[0]}/one", np.array(1, np.float32))
    draft.emit("Div", operator.name, [one, operator.inputs[0]], operator.outputs)


def where(operator: Operator, draft: Draft) -> None:
    """Where: the condition comes last here."""
    condition, x, y = operator.inputs
    select(operator, draft, condition, x, y)


def select(operator: Operator, draft: Draft, condition: str, x: str, y: str) -> None:
    """Emit x where ``condition`` holds, else y.

    Raises:
        GraphError: a condition of codes.
    """
    if condition in draft.constants:
        condition = draft.add_constant(f"{condition}.mask", draft.real(condition).astype(np.float32))
    elif condition in draft.grids:
        raise GraphError(f"the condition {condition!r} holds codes; it must be true or false")
    draft.emit("Where", operator.name, [x, y, condition], operator.outputs)


def concat(operator: Operator, draft: Draft) -> None:
    """Concat; a constant whose rows are the same for the whole batch is kept as one row."""
    inputs = [name for name in operator.inputs if name]
    axis = positive_axis(operator.get("axis", 1), len(draft.shape(inputs[0])))
    if len(inputs) == 1:
        draft.same_as(operator.outputs[0], inputs[0])
        return
    if axis != 0:
        inputs = [_one_row(draft, name) for name in inputs]
    draft.emit("Concat", operator.name, inputs, operator.outputs, axis=axis)


def _one_row(draft: Draft, name: str) -> str:
    value = draft.constants.get(name)
    if value is None or len(value) != draft.batch or len(value) == 1 or not (value == value[:1]).all():
        return name
    return first_row(draft, name, f"{name}.row")


NORMALIZERS: dict[str, Normalizer] = {
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow"), binary),
    "Sum": total,
    "Reciprocal": reciprocal,
    "Concat": concat,
    "Where": where,
}
