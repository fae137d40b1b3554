"""Compute what is known before any input: shapes, the arithmetic on them, and moved or dequantized constants."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.shapes import (
    expanded_shape,
    normalized_axis,
    permutation_of,
    reshaped_shape,
    squeezed_shape,
)
from hwsim.interchange.tflite.strided import plain_cuts, strided_cuts
from hwsim.interchange.tflite.values import DTYPES

LARGEST_FOLDED = 2**28  # elements; more than any sensible constant
Folder = Callable[[Reading, FileOperator, list[np.ndarray]], np.ndarray]


def fold(reading: Reading, operator: FileOperator) -> bool:
    """Try to turn the outputs of ``operator`` into constants; return whether that was possible.

    Raises:
        GraphError: the constants do not fit the operator.
    """
    if operator.code in ("SHAPE", "RANK"):
        shape = reading.shape(operator.inputs[0])
        value = np.asarray(shape if operator.code == "SHAPE" else len(shape))
        reading.values[operator.outputs[0]] = value.astype(_dtype(reading, operator))
        return True
    given = [index for index in operator.inputs if index >= 0]
    if not given or not all(reading.is_constant(index) for index in given):
        return False
    if operator.code == "DEQUANTIZE":
        return _dequantized(reading, operator)
    if (
        operator.code not in _FOLDERS
        or operator.get("fused_activation_function")
        or any(_has_grid(reading, index) for index in (*given, *operator.outputs))
    ):
        return False
    arrays = [reading.constant(index, "operand") for index in given]
    try:
        value = _FOLDERS[operator.code](reading, operator, arrays)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise GraphError(f"its constant operands cannot be computed: {error}") from None
    reading.values[operator.outputs[0]] = value.astype(_dtype(reading, operator))
    return True


def _has_grid(reading: Reading, index: int) -> bool:
    return reading.tensor(reading.same_content.get(index, index)).quantization is not None


def _dtype(reading: Reading, operator: FileOperator) -> np.dtype:
    kind = reading.tensor(operator.outputs[0]).type
    if kind not in DTYPES:
        raise GraphError(f"constants of type {kind} are not computed; known: {', '.join(DTYPES)}")
    return DTYPES[kind].newbyteorder("=")


def _dequantized(reading: Reading, operator: FileOperator) -> bool:
    """DEQUANTIZE of a constant: half precision becomes single, codes stay codes, which stand for the same reals."""
    source, target = operator.inputs[0], operator.outputs[0]
    if _has_grid(reading, source):
        reading.same_content[target] = reading.same_content.get(source, source)
    reading.values[target] = reading.constant(source, "operand")
    return True


def _fill(reading: Reading, operator: FileOperator, arrays: list[np.ndarray]) -> np.ndarray:
    shape = tuple(int(size) for size in arrays[0].reshape(-1))
    if any(size < 0 for size in shape) or prod(shape) > LARGEST_FOLDED:
        raise GraphError(f"a constant of shape {list(shape)} is impossible or too large")
    return np.full(shape, arrays[1].reshape(()))


def _strided(reading: Reading, operator: FileOperator, arrays: list[np.ndarray]) -> np.ndarray:
    cuts = strided_cuts(reading, operator, arrays[0].shape)
    kept = arrays[0][tuple(cut.slice() for cut in cuts)]
    return np.squeeze(kept, axis=tuple(cut.axis for cut in cuts if cut.dropped))


def _gather(reading: Reading, operator: FileOperator, arrays: list[np.ndarray]) -> np.ndarray:
    if operator.get("batch_dims"):
        raise GraphError("batch_dims is not supported; convert the model without it")
    return np.asarray(np.take(arrays[0], arrays[1], axis=operator.get("axis")))


def _pack(reading: Reading, operator: FileOperator, arrays: list[np.ndarray]) -> np.ndarray:
    return np.stack(arrays, axis=operator.get("axis"))


def _concatenation(reading: Reading, operator: FileOperator, arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays, axis=operator.get("axis"))


def _reduce_prod(reading: Reading, operator: FileOperator, arrays: list[np.ndarray]) -> np.ndarray:
    axes = tuple(normalized_axis(int(axis), arrays[0].ndim) for axis in arrays[1].reshape(-1))
    return np.asarray(np.prod(arrays[0], axis=axes, keepdims=bool(operator.get("keep_dims"))))


_FOLDERS: dict[str, Folder] = {
    "ADD": lambda reading, operator, arrays: arrays[0] + arrays[1],
    "SUB": lambda reading, operator, arrays: arrays[0] - arrays[1],
    "MUL": lambda reading, operator, arrays: arrays[0] * arrays[1],
    "CAST": lambda reading, operator, arrays: arrays[0],
    "RESHAPE": lambda reading, operator, arrays: arrays[0].reshape(reshaped_shape(reading, operator)),
    "SQUEEZE": lambda reading, operator, arrays: arrays[0].reshape(squeezed_shape(reading, operator)),
    "EXPAND_DIMS": lambda reading, operator, arrays: arrays[0].reshape(expanded_shape(reading, operator)),
    "TRANSPOSE": lambda reading, operator, arrays: arrays[0].transpose(permutation_of(reading, operator)),
    "SLICE": lambda reading, operator, arrays: arrays[0][
        tuple(cut.slice() for cut in plain_cuts(reading, operator, arrays[0].shape))
    ],
    "STRIDED_SLICE": _strided,
    "GATHER": _gather,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "REDUCE_PROD": _reduce_prod,
    "FILL": _fill,
}
