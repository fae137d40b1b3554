"""One tensor of the flatbuffer: shape, type, grid and content, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import tflite

from hwsim.errors import GraphError
from hwsim.interchange.tflite.records import FileQuantization, FileTensor

LARGEST_SIZE = 2**31 - 1  # of a dimension

_TYPES = {number: name for name, number in vars(tflite.TensorType).items() if isinstance(number, int)}


def read_tensor(number: int, table: Any, model: Any, data: bytes) -> FileTensor:
    """Return tensor ``number`` of the flatbuffer.

    Args:
        number: its place in the subgraph.
        table: the flatbuffer's Tensor.
        model: the flatbuffer's Model, which holds the contents.
        data: the whole file, behind whose flatbuffer large contents lie.

    Raises:
        GraphError: a type or size that cannot be, a content that does not exist.
    """
    name = (table.Name() or b"").decode("utf-8", "replace")
    shape = tuple(int(size) for size in table.ShapeAsNumpy()) if table.ShapeLength() else ()
    signature = tuple(int(size) for size in table.ShapeSignatureAsNumpy()) if table.ShapeSignatureLength() else shape
    label = f"tensor {name or number!r}"
    if len(signature) != len(shape):
        raise GraphError(f"{label}: its shape {list(shape)} and its shape signature {list(signature)} differ in rank")
    if any(not 0 <= size <= LARGEST_SIZE for size in shape) or any(size < -1 for size in signature):
        raise GraphError(f"{label}: its shape {list(shape)} holds a size that is negative or beyond {LARGEST_SIZE}")
    kind = _TYPES.get(table.Type())
    if kind is None:
        known = ", ".join(_TYPES.values())
        raise GraphError(f"{label}: element type {table.Type()} is not known; known: {known}")
    quantization, unreadable = _quantization(table)
    if table.Sparsity() is not None:
        unreadable = "it is stored sparsely; convert the model without sparsity"
    return FileTensor(
        index=number,
        name=name,
        shape=shape,
        signature=signature,
        type=kind,
        data=_content(table.Buffer(), model, data, label),
        quantization=quantization,
        variable=bool(table.IsVariable()),
        unreadable=unreadable,
    )


def _quantization(table: Any) -> tuple[FileQuantization | None, str]:
    """Return the affine grid, and why the tensor cannot be read where its grid is of another kind."""
    found = table.Quantization()
    if found is None:
        return None, ""
    if found.DetailsType():
        return None, "its quantization is not affine (custom or blockwise); convert the model with per-channel scales"
    if not found.ScaleLength():
        return None, ""
    scale = tuple(float(value) for value in found.ScaleAsNumpy())
    zero_point = (
        tuple(int(value) for value in found.ZeroPointAsNumpy()) if found.ZeroPointLength() else (0,) * len(scale)
    )
    return FileQuantization(scale=scale, zero_point=zero_point, axis=found.QuantizedDimension()), ""


def _content(number: int, model: Any, data: bytes, label: str) -> np.ndarray | None:
    """Return the bytes of a buffer, None where it is empty; large files keep them behind the flatbuffer."""
    if number >= model.BuffersLength():
        raise GraphError(f"{label}: it names buffer {number}, and the file has {model.BuffersLength()}")
    buffer = model.Buffers(number)
    if buffer.DataLength():
        return np.asarray(buffer.DataAsNumpy())
    if buffer.Offset() > 1:  # 0 and 1 stand for an empty buffer
        start, size = buffer.Offset(), buffer.Size()
        if start + size > len(data):
            raise GraphError(f"{label}: its content at byte {start} lies behind the end of the file")
        return np.frombuffer(data, dtype=np.uint8, count=size, offset=start)
    return None
