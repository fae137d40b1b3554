"""The graph while it is being read: where each tensor of the file stands, on which grid and in which layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph.moves import transposed
from hwsim.interchange.reading.batch import any_batch
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.tflite.layout import (
    CHANNELS_FIRST,
    Permutation,
    PlacedTensor,
    identity,
    inverse,
    wanted_channels_first,
)
from hwsim.interchange.tflite.records import FileModel, FileTensor
from hwsim.interchange.tflite.values import REALS, content_of, grid_of
from hwsim.numerics.quant_params import QuantParams


class Reading:
    """What the reader knows so far; the normalizers read it and emit nodes into it.

    Args:
        model: the parsed file.
        names: a unique name for every tensor of the file.
        shapes: of the inputs in the file's layout, for the batch at which the model is read.
        probes: the same for another batch, see ``Draft``.
        batch: the batch of ``shapes``.
        where: names the model in errors.
    """

    def __init__(
        self,
        *,
        model: FileModel,
        names: Sequence[str],
        shapes: Mapping[int, tuple[int, ...]],
        probes: Mapping[int, tuple[int, ...]],
        batch: int,
        where: str,
    ):
        self.model = model
        self.names = names
        self.wanted = wanted_channels_first(model)
        self.placed: dict[int, PlacedTensor] = {}
        self.values: dict[int, np.ndarray] = {}  # constants in the file's layout, also those that were folded
        self.same_content: dict[int, int] = {}  # a constant that stands for another one
        self._written = frozenset(names)
        self._views: dict[tuple[int, Permutation], str] = {}
        layouts = {index: CHANNELS_FIRST if index in self.wanted else identity(len(shapes[index])) for index in shapes}
        self.draft = Draft(
            where=where,
            shapes={names[index]: _permuted(shape, layouts[index]) for index, shape in shapes.items()},
            probes={names[index]: _permuted(shape, layouts[index]) for index, shape in probes.items()},
            batch=batch,
            constants={},
            opset=0,
        )
        for index, layout in layouts.items():
            self.place(index, names[index], layout)

    # --- what the file says

    def tensor(self, index: int) -> FileTensor:
        """Return the record of a tensor."""
        return self.model.tensors[index]

    def grid(self, index: int) -> QuantParams | None:
        """Return the grid of a tensor in the file's layout, None where it is real-valued.

        Raises:
            GraphError: integers without scales, which have no real value.
        """
        index = self.same_content.get(index, index)
        tensor = self.tensor(index)
        grid = grid_of(tensor)
        if grid is None and tensor.type not in REALS:
            reason = (
                tensor.unreadable or f"it holds {tensor.type} without a scale; convert the model with full quantization"
            )
            raise GraphError(f"tensor {self.names[index]!r} has no grid: {reason}")
        return grid

    def is_constant(self, index: int) -> bool:
        """Whether the tensor is known before any input."""
        return index in self.values or (self.tensor(index).data is not None and index not in self.placed)

    def constant(self, index: int, role: str) -> np.ndarray:
        """Return a constant in the file's layout: codes, plain integers or reals; raise GraphError if it is computed."""
        index = self.same_content.get(index, index)
        if index not in self.values:
            if not self.is_constant(index):
                raise GraphError(f"{role} {self.names[index]!r} is not constant; convert the model with it folded")
            self.values[index] = content_of(self.tensor(index))
        return self.values[index]

    def integers(self, index: int, role: str) -> tuple[int, ...]:
        """Return a constant of plain integers, such as axes or sizes."""
        values = self.constant(index, role)
        if values.dtype.kind not in "iu" or values.ndim > 1:
            raise GraphError(f"{role} {self.names[index]!r} must hold integers in one dimension, not {values.dtype}")
        return tuple(int(value) for value in values.reshape(-1))

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of a tensor in the file's layout, for the batch at which the model is read."""
        if index in self.placed:
            placed = self.placed[index]
            return _permuted(self.draft.shape(placed.name), inverse(placed.permutation))
        if self.is_constant(index):
            return tuple(self.constant(index, "operand").shape)
        raise GraphError(f"tensor {self.names[index]!r} is read before an operator computes it")

    def layout(self, index: int) -> Permutation:
        """Return the layout in which an activation stands; of a constant the file's."""
        return self.placed[index].permutation if index in self.placed else identity(len(self.shape(index)))

    # --- what the graph gets

    def place(self, index: int, name: str, permutation: Permutation) -> None:
        """Say that tensor ``index`` of the file is the graph's ``name`` under ``permutation``."""
        tensor = self.tensor(index)
        self.placed[index] = PlacedTensor(index=index, name=name, type=tensor.type, permutation=permutation)
        self._views[index, permutation] = name

    def fresh(self, stem: str) -> str:
        """Return a tensor name like ``stem`` that neither the file nor the graph has."""
        name, number = stem, 2
        while name in self._written or name in self.draft.shapes or name in self.draft.constants:
            name, number = f"{stem}.{number}", number + 1
        return name

    def operand(self, index: int, permutation: Permutation | None = None, *, role: str = "operand") -> str:
        """Return the graph's tensor that holds tensor ``index`` of the file under ``permutation``.

        Without one, activations stay as they stand and constants as in the file. A Transpose is emitted where an
        activation stands otherwise, once for each layout.
        """
        rank = len(self.shape(index))
        wanted = permutation or (self.placed[index].permutation if index in self.placed else identity(rank))
        if len(wanted) != rank:
            raise GraphError(f"{role} {self.names[index]!r} must have {len(wanted)} dimensions, not {rank}")
        if (index, wanted) not in self._views:
            if index not in self.placed:
                self._views[index, wanted] = self._add_constant(index, wanted, role)
            else:
                own = self.placed[index]
                target = self.fresh(f"{own.name}/{'channels_first' if wanted == CHANNELS_FIRST else 'file_layout'}")
                order = tuple(own.permutation.index(axis) for axis in wanted)
                self.emit("Transpose", target, [own.name], [target], permutation=order)
                self._views[index, wanted] = target
        return self._views[index, wanted]

    def _add_constant(self, index: int, permutation: Permutation, role: str) -> str:
        values, grid = self.constant(index, role), self.grid(index)
        placed = None if grid is None else transposed(grid, permutation, values.shape)
        return self.add_constant(self.names[index], np.ascontiguousarray(np.transpose(values, permutation)), placed)

    def add_constant(self, stem: str, values: np.ndarray, grid: QuantParams | None = None) -> str:
        """Store a constant under ``stem``, or a name like it that is free: codes of ``grid``, or plain numbers.

        Raises:
            GraphError: codes that stand for numbers beyond float32.
        """
        if grid is not None and grid.scale is not None and values.size:
            reach = max(abs(int(values.min())), abs(int(values.max()))) + max(map(abs, grid.zero_point))
            if reach * max(grid.scale) > float(np.finfo(np.float32).max):
                raise GraphError(
                    f"constant {stem!r} stands for numbers beyond float32: its scale is {max(grid.scale):g}"
                )
        free = stem not in self.draft.constants and stem not in self.draft.shapes
        return self.draft.add_constant(stem if free else self.fresh(stem), values, grid)

    @property
    def grids(self) -> dict[str, QuantParams]:
        """The grids of the graph's tensors."""
        return self.draft.grids

    def emit(self, op: str, name: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        """Append a node; ``clamp`` may stand among its attributes. What only moves codes hands their grid on."""
        clamp = attributes.pop("clamp", None)
        self.draft.emit(op, name, inputs, outputs, **attributes)
        if clamp is not None:
            self.draft.nodes[-1] = self.draft.nodes[-1].with_attributes(clamp=clamp)

    def reshape(self, name: str, source: str, target: str, shape: tuple[int, ...]) -> None:
        """Append a Reshape to ``shape`` (numbers, for the batch at which the model is read) that holds for every batch."""
        place = self.draft.places.get(source)
        stored, behind = any_batch(self.draft.shape(source), shape, place, self.draft.batch)
        self.emit("Reshape", name, [source], [target], shape=stored)
        if behind is not None:
            self.draft.places[target] = behind


def _permuted(shape: tuple[int, ...], permutation: Permutation) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in permutation)
