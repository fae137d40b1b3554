"""An operator: a node of the dataflow graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """An operator with its operands.

    Args:
        name: unique in its graph; what reports and precision plans call the layer.
        op: operator name, a row of ``hwsim.graph.ops.OPS`` (the ONNX vocabulary).
        inputs: tensor names in the operator's order; "" where an optional input is absent.
        outputs: tensor names.
        attributes: what the row of ``OPS`` lists, normalized (explicit pads, strides, ...), plus ``clamp`` where a
            ReLU or Clip was fused: ``(low, high)`` in real units, None where open.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))

    @property
    def clamp(self) -> tuple[float | None, float | None]:
        """The fused clamp in real units, ``(None, None)`` where there is none."""
        return self.attributes.get("clamp", (None, None))

    def with_attributes(self, **changes: Any) -> Node:
        """Return a copy with some attributes replaced."""
        return replace(self, attributes={**self.attributes, **changes})
