"""The shapes that RESHAPE, SQUEEZE and EXPAND_DIMS ask for, in the file's layout, and other operands that are axes."""

from __future__ import annotations

from math import prod

from hwsim.errors import GraphError
from hwsim.interchange.tflite.layout import Permutation
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator


def normalized_axis(axis: int, rank: int) -> int:
    """Return ``axis`` counted from the front; raise GraphError if the tensor lacks it.

    >>> normalized_axis(-1, 4)
    3
    """
    if not -rank <= axis < rank:
        raise GraphError(f"axis {axis} does not exist in a tensor of {rank} dimensions")
    return axis % rank


def reshaped_shape(reading: Reading, operator: FileOperator) -> tuple[int, ...]:
    """Return the target of RESHAPE in numbers: its second operand, else its option; one -1 is inferred."""
    shape = reading.shape(operator.inputs[0])
    if operator.has(1):
        target = reading.integers(operator.inputs[1], "target shape")
    else:
        written = operator.get("new_shape") or ()
        target = () if written == (0,) else written  # how old converters write a scalar
    known = prod(size for size in target if size != -1)
    if target.count(-1) == 1 and known > 0 and prod(shape) % known == 0:
        target = tuple(prod(shape) // known if size == -1 else size for size in target)
    if any(size < 1 for size in target) or prod(target) != prod(shape):
        raise GraphError(f"an input of shape {list(shape)} cannot be reshaped to {list(target)}")
    return tuple(target)


def squeezed_shape(reading: Reading, operator: FileOperator) -> tuple[int, ...]:
    """Return the shape behind SQUEEZE; without axes every dimension of size 1 goes."""
    shape = reading.shape(operator.inputs[0])
    written = operator.get("squeeze_dims") or ()
    axes = {normalized_axis(axis, len(shape)) for axis in written}
    if not axes:
        axes = {axis for axis, size in enumerate(shape) if size == 1}
    wrong = [axis for axis in axes if shape[axis] != 1]
    if wrong:
        raise GraphError(f"axis {wrong[0]} of the input {list(shape)} is not 1 and cannot be squeezed")
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def expanded_shape(reading: Reading, operator: FileOperator) -> tuple[int, ...]:
    """Return the shape behind EXPAND_DIMS."""
    shape = reading.shape(operator.inputs[0])
    place = normalized_axis(one_integer(reading, operator, 1, "axis"), len(shape) + 1)
    return (*shape[:place], 1, *shape[place:])


def one_integer(reading: Reading, operator: FileOperator, place: int, role: str) -> int:
    """Return the single number of a constant operand."""
    values = reading.integers(operator.inputs[place], role)
    if len(values) != 1:
        raise GraphError(f"{role} must be one number, not {list(values)}")
    return values[0]


def permutation_of(reading: Reading, operator: FileOperator) -> Permutation:
    """Return the permutation of TRANSPOSE."""
    rank = len(reading.shape(operator.inputs[0]))
    permutation = tuple(normalized_axis(axis, rank) for axis in reading.integers(operator.inputs[1], "permutation"))
    if sorted(permutation) != list(range(rank)):
        raise GraphError(f"{list(permutation)} is no permutation of {rank} dimensions")
    return permutation
