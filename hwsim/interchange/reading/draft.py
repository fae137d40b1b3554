"""The graph while it is being read: nodes so far, known constants, shapes and grids.

The file of a quantized model names its integers and, behind DequantizeLinear, the real numbers that they stand for; here
both are one tensor that has a grid. ``code_names`` tells which names of the file mean the integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import OPS, Node
from hwsim.graph.moves import moved_grid
from hwsim.interchange.reading.batch import BatchPlace, Shape, find_batch
from hwsim.interchange.reading.stored import codes_of, format_of_array, raw_grid
from hwsim.interchange.shapes import output_shapes
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.quant_params import QuantParams


class Draft:
    """What the reader knows so far; the normalizers read it and emit nodes into it.

    Args:
        where: names the model in errors.
        shapes: of the inputs, for the batch at which the model is read.
        probes: of the inputs, for another batch, by which the reader sees which dimensions hold the batch.
        batch: the batch of ``shapes``.
        constants: the initializers by name, as the file stores them.
        opset: the version of ONNX's operator set.
        code_inputs: formats of the inputs that the model declares as integers or narrow floating point.
    """

    def __init__(
        self,
        *,
        where: str,
        shapes: Mapping[str, Shape],
        probes: Mapping[str, Shape],
        batch: int,
        constants: Mapping[str, np.ndarray],
        opset: int,
        code_inputs: Mapping[str, Format] | None = None,
    ):
        self.where = where
        self.batch = batch
        self.opset = opset
        self.inputs = tuple(shapes)
        self.code_inputs = tuple(code_inputs or ())
        self.constants: dict[str, np.ndarray] = dict(constants)
        self.shapes: dict[str, Shape] = dict(shapes)
        self.probes: dict[str, Shape] = dict(probes)
        self.places = {name: BatchPlace(axis=0) for name in shapes if shapes[name] != probes[name]}
        self.fixed_by: str | None = None  # the first node that holds for one batch only
        self.alias: dict[str, str] = {}
        self.grids = {name: raw_grid(number) for name, number in (code_inputs or {}).items()}
        self.code_names = set(self.grids)
        self.code_names |= {name for name, value in self.constants.items() if format_of_array(value) is not None}
        self.nodes: list[Node] = []
        self.producer: dict[str, Node] = {}
        # codes read on another grid, or from a zero point of the run: the Reinterpret behind them
        self.readings: dict[tuple[str, QuantParams | str], str] = {}
        self.ranges: dict[str, IntFormat] = {}  # constants of codes that a Clip keeps in the range of a narrower format
        self.notes: dict[str, None] = {}
        self.used_names: set[str] = set()

    def resolve(self, name: str) -> str:
        """Return the tensor that ``name`` stands for once identities are removed."""
        return self.alias.get(name, name)

    def shape(self, name: str) -> Shape:
        """Return the shape of a constant or an activation."""
        return self.constants[name].shape if name in self.constants else self.shapes[name]

    def constant(self, name: str, role: str) -> np.ndarray:
        """Return the value of a constant operand, in real units where it has a grid.

        Raises:
            GraphError: it is computed from an input.
        """
        if name not in self.constants:
            raise GraphError(
                f"{role} {name!r} is not constant; store it as an initializer, or export the model with it folded"
            )
        return self.real(name)

    def real(self, name: str) -> np.ndarray:
        """Return what a constant stands for: decoded where it has a grid, else the stored array."""
        value, grid = self.constants[name], self.grids.get(name)
        return value if grid is None else grid.decode(codes_of(value, grid.format))

    def add_constant(self, name: str, value: np.ndarray, grid: QuantParams | None = None) -> str:
        """Store a new constant under ``name``, or a name like it that is free; return that name.

        Args:
            name: the wanted name.
            value: real numbers, or codes where a grid is given.
            grid: of the codes.
        """
        unique = self.free_name(name)
        self.constants[unique] = value
        if grid is not None:
            self.grids[unique] = grid
        return unique

    def free_name(self, name: str) -> str:
        """Return ``name``, or one like it that no tensor has."""
        unique, number = name, 2
        while unique in self.constants or unique in self.shapes:
            unique, number = f"{name}.{number}", number + 1
        return unique

    def same_as(self, output: str, source: str) -> None:
        """Let ``output`` stand for ``source``: an identity that needs no node."""
        self.alias[output] = self.resolve(source)

    def emit(self, op: str, name: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> str:
        """Append a node, the shapes of its outputs, and their grids where it only moves codes; return its first output."""
        missing = set(OPS[op].attributes) ^ set(attributes)
        if missing:
            raise AssertionError(f"{op} is emitted with other attributes than its row: {sorted(missing)}")
        shapes = output_shapes(op, attributes, [self.shape(tensor) for tensor in inputs])
        grid = moved_grid(op, attributes, self.grids.get(inputs[0]), self.shape(inputs[0]), shapes[0])
        if grid == "lost":
            real = self.emit("Quantize", f"{name}/dequantize", inputs[:1], [f"{outputs[0]}/real"])
            return self.emit(op, name, [real, *inputs[1:]], outputs, **attributes)
        self.shapes.update(zip(outputs, shapes, strict=True))
        self._probe(op, name, inputs, outputs, attributes)
        unique, number = name, 2
        while unique in self.used_names:
            unique, number = f"{name}.{number}", number + 1
        self.used_names.add(unique)
        node = Node(name=unique, op=op, inputs=tuple(inputs), outputs=tuple(outputs), attributes=attributes)
        self.nodes.append(node)
        for output in outputs:
            self.producer[output] = node
            if isinstance(grid, QuantParams):
                self.grids[output] = grid
        return outputs[0]

    def _probe(self, op: str, name: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Any) -> None:
        """Follow the probe batch through the node; where it does not pass, the network holds for one batch only."""
        try:
            given = [
                self.probes[tensor] if tensor in self.probes else self.constants[tensor].shape for tensor in inputs
            ]
            probes = output_shapes(op, attributes, given)
        except GraphError:
            self.fixed_by = self.fixed_by or name
            probes = [self.shapes[tensor] for tensor in outputs]
        self.probes.update(zip(outputs, probes, strict=True))
        sources = [(self.shapes[tensor], self.places[tensor]) for tensor in inputs if tensor in self.places]
        for tensor, probe in zip(outputs, probes, strict=True):
            place = find_batch(self.shapes[tensor], probe, sources)
            if place is not None:
                self.places[tensor] = place
