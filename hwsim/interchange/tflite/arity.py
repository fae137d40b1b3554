"""How many operands each operator must have; the rest of its operands is optional."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.tflite.records import FileOperator

_TWO = (
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "ADD", "SUB", "MUL", "DIV", "POW", "MEAN",
    "EXPAND_DIMS", "PAD", "MIRROR_PAD", "PRELU", "TRANSPOSE", "SPLIT", "GATHER", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR", "REDUCE_PROD", "FILL",
)  # fmt: skip
_REQUIRED = {
    **dict.fromkeys(_TWO, 2),
    **dict.fromkeys(("TRANSPOSE_CONV", "PADV2", "SLICE", "SPLIT_V"), 3),
    "STRIDED_SLICE": 4,
}


def check_arity(operator: FileOperator) -> None:
    """Raise GraphError where an operator lacks operands or a result, which only a broken file does."""
    required = _REQUIRED.get(operator.code, 1)
    given = sum(operator.has(place) for place in range(required))
    if given < required:
        raise GraphError(f"it has {given} of its {required} operands; convert or download the model again")
    if not operator.outputs or len(set(operator.outputs)) != len(operator.outputs):
        raise GraphError("its results are missing or repeated; convert or download the model again")
