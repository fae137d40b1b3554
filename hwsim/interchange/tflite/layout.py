"""Layouts: the file's ``[batch, height, width, channels]`` against the graph's ``[batch, channels, height, width]``.

Every activation of the graph is the file's tensor under a permutation of its dimensions: ``graph.shape[i]`` is
``file.shape[permutation[i]]``. Only tensors of four dimensions that a convolution, a pooling or a resize reads or writes,
and those that are computed from them element by element, have another permutation than the identity; a Reshape reads the
file's order of elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.interchange.tflite.records import FileModel

Permutation = tuple[int, ...]

CHANNELS_FIRST: Permutation = (0, 3, 1, 2)

SPATIAL = frozenset(
    {
        "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "AVERAGE_POOL_2D", "MAX_POOL_2D", "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH",
    }
)  # fmt: skip
ANY_LAYOUT = frozenset(
    {
        "ADD", "SUB", "MUL", "DIV", "POW", "CONCATENATION", "MEAN", "PAD", "PADV2", "MIRROR_PAD", "SOFTMAX", "LOGISTIC",
        "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "HARD_SWISH", "PRELU", "GELU", "EXP",
        "SQRT", "NEG", "QUANTIZE", "DEQUANTIZE", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "GATHER",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedTensor:
    """Where an activation of the file is found in the graph.

    Args:
        index: the tensor's number in the file.
        name: the graph's tensor.
        type: its element type in the file (``INT8``).
        permutation: ``graph.shape[i] == file.shape[permutation[i]]``.
    """

    index: int
    name: str
    type: str
    permutation: Permutation

    def in_file_layout(self, array: np.ndarray) -> np.ndarray:
        """Return the graph's array in the file's layout, contiguous."""
        return np.ascontiguousarray(np.transpose(array, np.argsort(self.permutation)))

    def in_graph_layout(self, array: np.ndarray) -> np.ndarray:
        """Return the file's array in the graph's layout, contiguous."""
        return np.ascontiguousarray(np.transpose(array, self.permutation))


def identity(rank: int) -> Permutation:
    """Return the permutation that changes nothing."""
    return tuple(range(rank))


def inverse(permutation: Permutation) -> Permutation:
    """Return the permutation that undoes ``permutation``.

    >>> inverse(CHANNELS_FIRST)
    (0, 2, 3, 1)
    """
    return tuple(permutation.index(axis) for axis in range(len(permutation)))


def keeps_order(shape: Sequence[int], permutation: Permutation) -> bool:
    """Whether a tensor of ``shape`` (the file's) has the same order of elements under ``permutation``.

    Dimension 0 counts even where it is 1, because the batch may change.

    >>> keeps_order((1, 1, 1, 8), CHANNELS_FIRST), keeps_order((1, 4, 4, 8), CHANNELS_FIRST)
    (True, False)
    """
    axes = [axis for axis in permutation if axis == 0 or shape[axis] != 1]
    return axes == sorted(axes)


def wanted_channels_first(model: FileModel) -> frozenset[int]:
    """Return the four-dimensional tensors that an operator with height and width reads, directly or element by element."""
    wanted: set[int] = set()
    for operator in reversed(model.operators):
        if operator.code in SPATIAL or (operator.code in ANY_LAYOUT and not wanted.isdisjoint(operator.outputs)):
            wanted.update(index for index in operator.inputs if index >= 0 and len(model.tensors[index].shape) == 4)
    return frozenset(wanted)
