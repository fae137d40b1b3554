"""Operators of QONNX on channels-last tensors: transposes around those of ONNX."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.convolution import conv
from hwsim.interchange.onnx.normalize.normalization import batch_normalization
from hwsim.interchange.onnx.normalize.pooling import pool
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.constants import require_constant, transposed_constant
from hwsim.interchange.reading.draft import Draft


def to_first(rank: int) -> tuple[int, ...]:
    """Return the permutation from channels last to channels first.

    >>> to_first(4)
    (0, 3, 1, 2)
    """
    return (0, rank - 1, *range(1, rank - 1))


def to_last(rank: int) -> tuple[int, ...]:
    """Return the permutation from channels first to channels last.

    >>> to_last(4)
    (0, 2, 3, 1)
    """
    return (0, *range(2, rank), 1)


def wrapped(op: str, normalizer: Normalizer) -> Normalizer:
    """Return the normalizer of a channels-last operator, which calls that of ONNX's ``op``."""

    def normalize(operator: Operator, draft: Draft) -> None:
        rank = len(draft.shape(operator.inputs[0]))
        if rank not in (3, 4):
            raise GraphError(
                f"its input must be [batch, height, width, channels] or [batch, width, channels], not {rank}-D"
            )
        source, target = operator.inputs[0], operator.outputs[0]
        first, result = f"{target}/channels_first", f"{target}/result"
        draft.emit("Transpose", f"{operator.name}/to_first", [source], [first], permutation=to_first(rank))
        inputs = [first, *operator.inputs[1:]]
        if op == "Conv":
            require_constant(draft, inputs[1], "weight")
            inputs[1] = transposed_constant(draft, inputs[1], f"{inputs[1]}.channels_first", to_first(rank))
        normalizer(operator.changed(op=op, inputs=tuple(inputs), outputs=(result, *operator.outputs[1:])), draft)
        draft.emit("Transpose", f"{operator.name}/to_last", [result], [target], permutation=to_last(rank))

    return normalize


OPERATORS: dict[str, Normalizer] = {
    "Conv": wrapped("Conv", conv),
    "MaxPool": wrapped("MaxPool", pool),
    "BatchNormalization": wrapped("BatchNormalization", batch_normalization),
}
MAX_POOL_NHWC: Normalizer = OPERATORS["MaxPool"]
