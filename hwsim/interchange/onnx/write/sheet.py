"""The ONNX file while it is being written: operators, constants and shapes so far, under unique names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwsim.errors import some_of

Shape = tuple[int, ...]
SHOWN = 3  # names in a note


class Sheet:
    """What the writers have put down so far.

    Args:
        opset: the version of ONNX's operator set, chosen before the first operator is written.
        taken: tensor names that the network itself uses.
    """

    def __init__(self, *, opset: int, taken: Sequence[str]):
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.values: list[onnx.ValueInfoProto] = []
        self.domains: dict[str, int] = {}
        self._notes: dict[str, list[str]] = {}
        self._tensors = set(taken)
        self._nodes: set[str] = set()

    def note(self, text: str, tensor: str) -> None:
        """Remember what the file cannot say as the graph does, and of which tensor."""
        self._notes.setdefault(text, []).append(tensor)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noted, one line for each kind, with the first tensors that it concerns."""
        lines = []
        for text, tensors in self._notes.items():
            lines.append(f"{text}: {some_of([repr(tensor) for tensor in tensors], SHOWN)}")
        return tuple(lines)

    def name(self, wanted: str) -> str:
        """Return a tensor name like ``wanted`` that nothing else has."""
        return _unique(wanted, self._tensors)

    def constant(self, wanted: str, value: np.ndarray | np.generic) -> str:
        """Store a constant under a name like ``wanted``; return that name."""
        return self.store(numpy_helper.from_array(np.asarray(value, order="C")), self.name(wanted))

    def store(self, tensor: onnx.TensorProto, name: str) -> str:
        """Store a constant of any element type under ``name``, which must be free or the network's own; return it."""
        tensor.name = name
        self.initializers.append(tensor)
        return name

    def emit(
        self, op: str, name: str, inputs: Sequence[str], outputs: Sequence[str], *, domain: str = "", **attributes: Any
    ) -> str:
        """Append an operator; return its first output."""
        if domain:
            self.domains.setdefault(domain, 1)
        node = helper.make_node(op, inputs, outputs, name=_unique(name, self._nodes), domain=domain, **attributes)
        self.nodes.append(node)
        return outputs[0]

    def describe(self, name: str, shape: Sequence[int | str | None]) -> None:
        """State the shape of a float32 tensor where shape inference cannot find it."""
        self.values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """Return the finished model."""
        seen = {value.name for value in (*inputs, *outputs)}
        values = {value.name: value for value in self.values if value.name not in seen}
        graph = helper.make_graph(
            self.nodes, name, list(inputs), list(outputs), self.initializers, value_info=list(values.values())
        )
        imports = [helper.make_opsetid("", self.opset)]
        imports += [helper.make_opsetid(domain, version) for domain, version in self.domains.items()]
        least = helper.find_min_ir_version_for(imports[:1])
        return helper.make_model(graph, opset_imports=imports, ir_version=max(least, 8), producer_name="hwsim")


def _unique(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}.{number}", number + 1
    taken.add(name)
    return name
