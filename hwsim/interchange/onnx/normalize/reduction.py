"""ReduceMean."""

from __future__ import annotations

from hwsim.interchange.onnx.normalize.common import Normalizer, integers
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.draft import Draft


def reduce_mean(operator: Operator, draft: Draft) -> None:
    """ReduceMean; without axes it reduces all dimensions, or none where ``noop_with_empty_axes`` says so."""
    rank = len(draft.shape(operator.inputs[0]))
    axes = integers(operator, draft, "axes", 1)
    if not axes and operator.get("noop_with_empty_axes", 0):
        draft.same_as(operator.outputs[0], operator.inputs[0])
        return
    normalized = tuple(sorted({positive_axis(axis, rank) for axis in axes or range(rank)}))
    draft.emit(
        "ReduceMean", operator.name, operator.inputs[:1], operator.outputs,
        axes=normalized, keepdims=bool(operator.get("keepdims", 1)),
    )  # fmt: skip


NORMALIZERS: dict[str, Normalizer] = {"ReduceMean": reduce_mean}
