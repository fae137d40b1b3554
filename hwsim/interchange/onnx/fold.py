"""Compute a node whose inputs are all constant, once, with ONNX's own reference; codes that are only moved stay codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from hwsim.errors import GraphError
from hwsim.interchange.onnx.element_types import REALS
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.constants import reshaped_constant, transposed_constant
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import format_of_array
from hwsim.numerics.formats import IntFormat

_RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
_RESHAPES = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"}
LARGEST_FOLDED = 2**28  # elements; more than any sensible constant


def fold(node: onnx.NodeProto, operator: Operator, draft: Draft) -> bool:
    """Try to turn the outputs of ``node`` into constants; return whether that was possible.

    Raises:
        GraphError: the constants do not fit the operator.
    """
    values = _known_values(operator, draft)
    if values is None:
        if any(name not in draft.constants for name in filter(None, operator.inputs)):
            return False
        if operator.op in _RANDOM or any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute):
            return False
        if _moves_codes(operator, draft):
            _move(node, operator, draft)
            return True
        values = _evaluate(node, operator, draft, _feeds(operator, draft))
        if operator.op == "Clip" and operator.means_codes(0):
            _note_range(operator, draft)
    for name, value in zip(operator.outputs, values, strict=False):
        if name:
            draft.constants[name] = np.asarray(value)
            if format_of_array(draft.constants[name]) is not None:
                draft.code_names.add(name)
    return True


def _known_values(operator: Operator, draft: Draft) -> Sequence[np.ndarray] | None:
    """Operators that need only shapes, or that would fill large arrays with one value."""
    if operator.op in ("Shape", "Size"):
        shape = np.array(draft.shape(operator.inputs[0]), dtype=np.int64)
        if operator.op == "Size":
            return [np.asarray(np.prod(shape), dtype=np.int64)]
        return [shape[slice(operator.get("start", 0), operator.get("end"))]]
    if operator.op == "ConstantOfShape" and operator.inputs[0] in draft.constants:
        shape = draft.constants[operator.inputs[0]]
        fill = np.reshape(operator.get("value", np.zeros(1, np.float32)), ())
        if (shape < 0).any() or np.prod(shape.astype(float)) > LARGEST_FOLDED:
            raise GraphError(f"a constant of shape {shape.tolist()} is impossible or too large")
        return [np.broadcast_to(fill, tuple(shape.tolist()))]
    return None


def _moves_codes(operator: Operator, draft: Draft) -> bool:
    """Whether the node moves a constant that stands for the real numbers of its codes, or casts it to real numbers."""
    moves = operator.op in _RESHAPES or operator.op == "Transpose"
    moves |= operator.op == "Cast" and operator.get("to") in REALS
    return moves and operator.inputs[0] in draft.grids and not operator.means_codes(0)


def _move(node: onnx.NodeProto, operator: Operator, draft: Draft) -> None:
    name, output = operator.inputs[0], operator.outputs[0]
    rank = draft.constants[name].ndim
    if operator.op == "Cast":
        found = name
    elif operator.op == "Transpose":
        permutation = tuple(int(axis) % rank for axis in operator.get("perm") or range(rank - 1, -1, -1))
        found = transposed_constant(draft, name, output, permutation)
    else:
        feeds = _feeds(operator, draft)
        feeds[name] = np.broadcast_to(np.float32(0), draft.constants[name].shape)
        found = reshaped_constant(draft, name, output, _evaluate(node, operator, draft, feeds)[0].shape)
    if found != output:
        draft.same_as(output, found)


def _note_range(operator: Operator, draft: Draft) -> None:
    """Remember the format whose range a Clip of codes keeps, where it is one with fewer bits than they are stored in."""
    stored = format_of_array(draft.constants[operator.inputs[0]])
    if not isinstance(stored, IntFormat) or not (operator.has(1) and operator.has(2)):
        return
    low, high = (int(draft.constants[name].reshape(())) for name in operator.inputs[1:3])
    for bits in range(1, stored.bits):
        for narrow in (False, True) if stored.signed and bits > 1 else (False,):
            number = IntFormat(bits=bits, signed=stored.signed, narrow=narrow)
            if (number.minimum, number.maximum) == (low, high):
                draft.ranges[operator.outputs[0]] = number


def _feeds(operator: Operator, draft: Draft) -> dict[str, np.ndarray]:
    """Return the constants as the node means them: stored integers, or the real numbers that they stand for."""
    feeds = {}
    for index, name in enumerate(operator.inputs):
        if name:
            feeds[name] = draft.constants[name] if operator.means_codes(index) else draft.real(name)
    return feeds


def _evaluate(
    node: onnx.NodeProto, operator: Operator, draft: Draft, feeds: dict[str, np.ndarray]
) -> Sequence[np.ndarray]:
    renamed = onnx.NodeProto()
    renamed.CopyFrom(node)
    del renamed.input[:]
    renamed.input.extend(operator.inputs)
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), None)
        for name, value in feeds.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in operator.outputs if name]
    graph = helper.make_graph([renamed], "fold", inputs, outputs)
    imports = [helper.make_opsetid(node.domain, draft.opset)]
    try:
        with np.errstate(all="ignore"):
            values = ReferenceEvaluator(helper.make_model(graph, opset_imports=imports)).run(None, feeds)
    except Exception as error:  # the reference raises anything; all of it means that the constants do not fit
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GraphError(f"its constant inputs cannot be computed: {reason}") from None
    found = iter(values)
    return [np.asarray(next(found)) if name else np.empty(0) for name in operator.outputs]
