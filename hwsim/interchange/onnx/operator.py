"""One ONNX node, parsed: names, operands and attributes as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import onnx
from onnx import helper, numpy_helper

from hwsim.errors import GraphError
from hwsim.interchange.onnx.refuse import full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A node as the normalizers read it.

    Args:
        name: unique in the model.
        op: operator name, with its domain where that is not ONNX's own.
        inputs: tensor names; "" where an optional one is absent.
        outputs: tensor names; "" where nobody wants one.
        attributes: as written in the file, decoded.
        opset: the version of the operator set that the model imports.
        codes: whether each input means integers in the file, and not the real numbers that they stand for.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int
    codes: tuple[bool, ...] = ()

    def has(self, index: int) -> bool:
        """Whether input ``index`` is given."""
        return index < len(self.inputs) and bool(self.inputs[index])

    def means_codes(self, index: int) -> bool:
        """Whether input ``index`` means integers in the file, and not the real numbers that they stand for."""
        return index < len(self.codes) and self.codes[index]

    def get(self, key: str, default: Any = None) -> Any:
        """Return an attribute, or ``default`` where the file does not write it."""
        return self.attributes.get(key, default)

    def changed(self, **changes: Any) -> Operator:
        """Return a copy with other fields."""
        return replace(self, **changes)


def parse_operator(node: onnx.NodeProto, name: str, opset: int) -> Operator:
    """Return ``node`` with its attributes decoded."""
    return Operator(
        name=name,
        op=full_name(node),
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={attribute.name: _value(attribute) for attribute in node.attribute},
        opset=opset,
    )


def _value(attribute: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, (str, int, float)) or not hasattr(value, "__iter__"):
        return value
    return tuple(item.decode(errors="replace") if isinstance(item, bytes) else item for item in value)


def positive_axis(axis: int, rank: int) -> int:
    """Return ``axis`` counted from the front; raise GraphError if the tensor lacks it.

    >>> positive_axis(-1, 4)
    3
    """
    if not -rank <= axis < rank:
        raise GraphError(f"axis {axis} does not exist in a tensor of {rank} dimensions")
    return int(axis) % rank
