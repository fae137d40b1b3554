"""A TensorFlow Lite file as plain records: everything that the reader uses, checked against the file's own bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ABSENT = -1  # the index of an optional operand that is not given


@dataclass(frozen=True, slots=True, kw_only=True)
class FileQuantization:
    """The affine quantization of one tensor, as written.

    Args:
        scale: one per tensor or per index of ``axis``.
        zero_point: as many as scales.
        axis: dimension of the file's layout to which several scales belong.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileTensor:
    """A tensor of the file.

    Args:
        index: its number in the subgraph, by which operators name it.
        name: as written; it may be empty or repeated.
        shape: sizes; unknown ones are 1 here.
        signature: sizes with -1 where the file leaves them open; equal to ``shape`` where it leaves none.
        type: name of the element type in the schema (``INT8``, ``FLOAT32``, ...).
        data: the bytes of a constant as uint8, else None.
        quantization: None for real-valued tensors.
        variable: whether it keeps its value from one inference to the next.
        unreadable: why its content cannot be read, "" where it can.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    type: str
    data: np.ndarray | None
    quantization: FileQuantization | None
    variable: bool
    unreadable: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileOperator:
    """An operator of the file.

    Args:
        index: its place in the order of execution.
        code: name of the builtin operator in the schema (``CONV_2D``), or ``CUSTOM:<name>``.
        inputs: tensor numbers, ``ABSENT`` where an optional one is not given.
        outputs: tensor numbers.
        options: the fields of its options table that the reader knows, by their name in the schema (``stride_w``).
    """

    index: int
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]

    def has(self, place: int) -> bool:
        """Whether input ``place`` is given."""
        return place < len(self.inputs) and self.inputs[place] != ABSENT

    def get(self, key: str) -> Any:
        """Return an option; 0 where the operator came without options, which is how the runtime fills them."""
        return self.options.get(key, 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileModel:
    """The one subgraph of a file.

    Args:
        tensors: by number.
        operators: in the order of execution.
        inputs: tensor numbers of the network's inputs.
        outputs: tensor numbers of its results.
    """

    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
