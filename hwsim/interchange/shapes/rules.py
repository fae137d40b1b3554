"""The table of shape rules, one for each row of OPS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hwsim.interchange.shapes import matrix, movement, windowed
from hwsim.interchange.shapes.common import Rule, Shape, broadcasting, same, with_scale_and_zero_point, with_scales

SHAPE_RULES: dict[str, Rule] = {
    "Conv": windowed.conv,
    "ConvTranspose": windowed.conv_transpose,
    "Gemm": matrix.gemm,
    "MatMul": matrix.matmul,
    **dict.fromkeys(("Add", "Sub", "Sum", "Mul", "Div", "Pow", "Where"), broadcasting),
    "Concat": movement.concat,
    **dict.fromkeys(("MaxPool", "AveragePool"), windowed.pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), windowed.global_pool),
    "ReduceMean": movement.reduce_mean,
    **dict.fromkeys(
        (
            "Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Gelu", "Erf", "Sqrt", "Exp",
            "Neg", "Softmax", "LRN", "Identity", "Quantize", "Reinterpret", "Rescale", "Rescale",
        ),
        same,
    ),
    **dict.fromkeys(("PRelu", "LayerNormalization"), matrix.one_sided),
    "DynamicQuantizeLinear": with_scale_and_zero_point,
    "DynamicQuantize": with_scales,
    "MultiThreshold": matrix.multi_threshold,
    "BatchNormalization": matrix.batch_normalization,
    "Resize": movement.resize,
    "DepthToSpace": movement.depth_to_space,
    "Pad": movement.pad,
    "Reshape": movement.reshape,
    "Flatten": movement.flatten,
    "Squeeze": movement.squeeze,
    "Unsqueeze": movement.unsqueeze,
    "Transpose": movement.transpose,
    "Slice": movement.slice_,
    "Split": movement.split,
    "Gather": movement.gather,
}  # fmt: skip


def output_shapes(op: str, attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Return the output shapes of one operator.

    Args:
        op: a row of OPS.
        attributes: the normalized attributes of that row.
        shapes: the shapes of its inputs, in order.

    Raises:
        GraphError: the inputs do not fit together; the message does not name the node, the caller does.

    >>> output_shapes("Concat", {"axis": 1}, [(1, 2, 4), (1, 3, 4)])
    [(1, 5, 4)]
    """
    return SHAPE_RULES[op](attributes, list(shapes))
