"""What tensors of the file hold: element types, grids, and the integers or reals of constants."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from hwsim.errors import GraphError, HwsimError
from hwsim.interchange.tflite.records import FileTensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding

FORMATS = {
    "INT4": IntFormat(bits=4),
    "INT8": IntFormat(bits=8),
    "UINT8": IntFormat(bits=8, signed=False),
    "INT16": IntFormat(bits=16),
    "INT32": IntFormat(bits=32),
    "INT64": IntFormat(bits=64),
}
REALS: dict[str, np.dtype[Any]] = {"FLOAT16": np.dtype("<f2"), "FLOAT32": np.dtype("<f4"), "FLOAT64": np.dtype("<f8")}
DTYPES: dict[str, np.dtype[Any]] = {
    **REALS,
    **{name: number.storage_dtype.newbyteorder("<") for name, number in FORMATS.items()},
}


def grid_of(tensor: FileTensor) -> QuantParams | None:
    """Return the grid of a quantized tensor in the file's layout; None for a real-valued or a plain integer one.

    Reals become codes by rounding halves away from zero (``TfLiteRound``).

    Raises:
        GraphError: scales or zero points that are no grid.
    """
    found = tensor.quantization
    if found is None or tensor.type not in FORMATS:
        return None
    axis = found.axis
    per_tensor = len(found.scale) == 1
    if not per_tensor and not (0 <= axis < len(tensor.shape) and tensor.shape[axis] == len(found.scale)):
        raise GraphError(
            f"tensor {tensor.name!r}: {len(found.scale)} scales do not fit dimension {axis} of its shape "
            f"{list(tensor.shape)}; convert the model again"
        )
    zero_point = found.zero_point
    if len(zero_point) == 1:
        zero_point = zero_point * len(found.scale)
    try:
        return QuantParams(
            format=FORMATS[tensor.type],
            scale=found.scale,
            zero_point=zero_point,
            granularity=PER_TENSOR if per_tensor else Granularity(axis=axis),
            rounding=Rounding.HALF_AWAY,
        )
    except HwsimError as error:
        raise GraphError(f"tensor {tensor.name!r}: {error}; convert the model again") from None


def content_of(tensor: FileTensor) -> np.ndarray:
    """Return the elements of a constant in the file's layout: codes, plain integers or reals.

    Raises:
        GraphError: an element type that is not read, or another number of bytes than the shape needs.
    """
    assert tensor.data is not None
    if tensor.unreadable:
        raise GraphError(f"constant {tensor.name!r}: {tensor.unreadable}")
    dtype = DTYPES.get(tensor.type)
    if dtype is None:
        raise GraphError(
            f"constant {tensor.name!r}: elements of type {tensor.type} are not read; known: {', '.join(DTYPES)}"
        )
    count = prod(tensor.shape)
    packed = tensor.type == "INT4"
    needed = (count + 1) // 2 if packed else count * dtype.itemsize
    if tensor.data.size != needed:
        raise GraphError(
            f"constant {tensor.name!r}: {list(tensor.shape)} elements of type {tensor.type} take {needed} bytes, and the "
            f"file holds {tensor.data.size}; it was cut off: export or download it again"
        )
    if packed:
        return unpack_int4(tensor.data, count).reshape(tensor.shape)
    native = tensor.data.view(dtype).astype(dtype.newbyteorder("="), copy=False)
    return native.reshape(tensor.shape)


def unpack_int4(data: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` signed numbers of 4 bits from bytes, the low half of a byte first.

    >>> unpack_int4(np.array([0xF1, 0x08], dtype=np.uint8), 3).tolist()
    [1, -1, -8]
    """
    halves = np.stack([data & 0xF, data >> 4], axis=-1).reshape(-1)[:count].astype(np.int8)
    return np.where(halves > 7, halves - 16, halves).astype(np.int8)
