"""Walk a quantized graph and write it operator by operator on real values; a style writes the grids between them.

Every operator reads and makes real values, as files with explicit quantization do. Where a tensor has a grid, the style
(QuantizeLinear with DequantizeLinear, or QONNX's Quant) takes the real result of the operator and its fused clamp to that
grid, and gives the name of the real values that readers see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node, Tensor, passes_grid
from hwsim.interchange.onnx.write.batch import one_row, shapes_at, written_shape
from hwsim.interchange.onnx.write.nodes import Emitter, least_opset, write_clamp, write_node
from hwsim.interchange.onnx.write.sheet import Sheet


class Style(Protocol):
    """How grids are written; names that a method returns are those of real values."""

    own: Mapping[str, Emitter]
    """Operators that this style writes by itself."""

    def opset(self, tensor: Tensor) -> int:
        """Return the least version of ONNX's operator set for the tensor's grid."""

    def clamp(self, tensor: Tensor, low: float | None, high: float | None) -> tuple[float | None, float | None]:
        """Return the ends of a fused clamp that must be written before the tensor's grid."""

    def given(self, sheet: Sheet, tensor: Tensor, codes: bool) -> tuple[int, str]:
        """Write what brings an input onto its grid; return the input's element type and the real values."""

    def result(self, sheet: Sheet, tensor: Tensor, real: str, is_output: bool, moved: bool) -> str:
        """Write what brings ``real`` onto the tensor's grid, where it is already if it was only ``moved``.

        An output's real values must have the tensor's name.
        """

    def constant(self, sheet: Sheet, tensor: Tensor) -> str:
        """Write a constant with a grid."""

    def reinterpreted(
        self, sheet: Sheet, node: Node, source: Tensor, target: Tensor, real: str, is_output: bool
    ) -> str:
        """Write the codes of ``source``, read on the grid of ``target``."""


class GraphWriter:
    """One graph on its way into a file.

    Args:
        graph: a quantized network with known scales.
        style: writes the grids.
        any_batch: leave the batch symbolic where every operator holds for any.
        opset: the least version of ONNX's operator set to write.
    """

    def __init__(self, graph: Graph, style: Style, *, any_batch: bool, opset: int):
        self.graph = graph
        self.style = style
        self.other = shapes_at(graph, graph.batch + 1) if any_batch else None
        needs = [least_opset(node, graph.tensors[node.inputs[0]].shape) for node in graph.nodes]
        needs += [style.opset(tensor) for tensor in graph.tensors.values() if tensor.quant is not None]
        self.sheet = Sheet(opset=max([opset, *needs]), taken=tuple(graph.tensors))
        self.real: dict[str, str] = {}

    def write(self) -> onnx.ModelProto:
        """Return the model."""
        inputs = [self._input(name) for name in self.graph.inputs]
        for node in self.graph.nodes:
            self._node(node)
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, self._dims(name)) for name in self.graph.outputs
        ]
        return self.sheet.model(self.graph.name, inputs, outputs)

    def _dims(self, name: str) -> list[int | str | None]:
        other = None if self.other is None else self.other[name]
        return written_shape(self.graph.tensors[name].shape, other, self.graph.batch)

    def _describe(self, written: str, name: str) -> None:
        self.sheet.describe(written, self._dims(name))

    def _input(self, name: str) -> onnx.ValueInfoProto:
        tensor = self.graph.tensors[name]
        kind, self.real[name] = int(TensorProto.FLOAT), name
        if tensor.quant is not None:
            kind, self.real[name] = self.style.given(self.sheet, tensor, name in self.graph.code_inputs)
            self._describe(self.real[name], name)
        return helper.make_tensor_value_info(name, kind, self._dims(name))

    def _node(self, node: Node) -> None:
        if node.op in ("Quantize", "Reinterpret"):
            self._regridded(node)
            return
        inputs = [self._operand(node, name) if name else "" for name in node.inputs]
        bare = [self._before(node, name) for name in node.outputs]
        shape = self.graph.tensors[node.inputs[0]].shape
        if node.op in self.style.own:
            self.style.own[node.op](self.sheet, node, inputs, bare, shape)
        else:
            write_node(self.sheet, node, inputs, bare, shape)
        for name, written in zip(node.outputs, bare, strict=True):
            self._finish(node, name, written)

    def _before(self, node: Node, name: str) -> str:
        """Return the name of a result before its clamp and its quantization."""
        free = name not in self.graph.outputs if self._moves(node, name) else self.graph.tensors[name].quant is None
        return name if free and node.clamp == (None, None) else self.sheet.name(f"{name}/real")

    def _moves(self, node: Node, name: str) -> bool:
        """Whether a result is codes of the first input, moved or selected."""
        source, result = self.graph.tensors[node.inputs[0]].quant, self.graph.tensors[name].quant
        return passes_grid(node) and result is not None and result == source

    def _finish(self, node: Node, name: str, written: str) -> None:
        tensor = self.graph.tensors[name]
        low, high = node.clamp if tensor.quant is None else self.style.clamp(tensor, *node.clamp)
        self._describe(written, name)
        if low is not None or high is not None:
            target = None if tensor.quant else name
            written = write_clamp(self.sheet, node.name, low, high, written, target)
            self._describe(written, name)
        self._put(tensor, written, self._moves(node, name))

    def _put(self, tensor: Tensor, written: str, moved: bool) -> None:
        """Let readers find the tensor's real values, on its grid where it has one."""
        if tensor.quant is not None:
            written = self.style.result(self.sheet, tensor, written, tensor.name in self.graph.outputs, moved)
            self._describe(written, tensor.name)
        self.real[tensor.name] = written

    def _regridded(self, node: Node) -> None:
        """Quantize and Reinterpret: only grids change."""
        source, target = (self.graph.tensors[name] for name in (node.inputs[0], node.outputs[0]))
        real = self._operand(node, source.name)
        if node.op == "Reinterpret":
            is_output = target.name in self.graph.outputs
            self.real[target.name] = self.style.reinterpreted(self.sheet, node, source, target, real, is_output)
            self._describe(self.real[target.name], target.name)
        elif target.quant is None:
            self.real[target.name] = self.sheet.emit("Identity", node.name, [real], [target.name])
            self._describe(target.name, target.name)
        else:
            self._put(target, real, moved=False)

    def _operand(self, node: Node, name: str) -> str:
        tensor = self.graph.tensors[name]
        if not tensor.is_constant:
            return self.real[name]
        if node.op == "Concat" and self.graph.batch != 1 and one_row(self.graph, node.attributes["axis"], name):
            return self._constant(_repeated(tensor, self.sheet.name(f"{name}/rows"), self.graph.batch))
        if name not in self.real:
            self.real[name] = self._constant(tensor)
        return self.real[name]

    def _constant(self, tensor: Tensor) -> str:
        if tensor.quant is not None:
            self.sheet.describe(tensor.name, tensor.shape)
            return self.style.constant(self.sheet, tensor)
        return self.sheet.store(numpy_helper.from_array(np.asarray(tensor.data, order="C")), tensor.name)


def _repeated(tensor: Tensor, name: str, batch: int) -> Tensor:
    """Return a constant of one row with as many rows as the batch."""
    shape = (batch, *tensor.shape[1:])
    data = np.broadcast_to(np.asarray(tensor.data), shape)
    codes = None if tensor.codes is None else np.broadcast_to(tensor.codes, shape)
    return replace(tensor, name=name, shape=shape, data=data, codes=codes)


def check_calibrated(graph: Graph, target: str) -> None:
    """Raise GraphError unless the graph is quantized and every grid has its scale."""
    if not graph.is_quantized:
        raise GraphError(f"{graph.name}: no tensor has a grid; quantize the graph before writing it as {target}")
    for tensor in graph.tensors.values():
        if tensor.quant is not None and tensor.quant.is_found_at_run_time:
            raise GraphError(
                f"{graph.name}: the zero point of tensor {tensor.name!r} is found at run time, which {target} does not "
                "write; quantize the network statically"
            )
        if tensor.quant is not None and not tensor.quant.is_calibrated:
            raise GraphError(
                f"{graph.name}: tensor {tensor.name!r} has no scale yet; quantize with calibration inputs before writing "
                f"the network as {target}"
            )
