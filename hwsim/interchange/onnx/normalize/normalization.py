"""BatchNormalization, LayerNormalization and LRN, in inference."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, only_first_output
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.draft import Draft

_INFERENCE = "export the model in inference mode (model.eval())"


def batch_normalization(operator: Operator, draft: Draft) -> None:
    """BatchNormalization with constant statistics."""
    trains = operator.get("training_mode", 0) or any(operator.outputs[1:])
    if trains or (operator.opset < 7 and not operator.get("is_test", 0)):
        raise GraphError(f"it normalizes with the statistics of the batch, as in training; {_INFERENCE}")
    if not operator.get("spatial", 1):
        raise GraphError("spatial=0 (statistics for every pixel) is not supported; use statistics for each channel")
    for tensor, role in zip(operator.inputs[1:], ("scale", "bias", "mean", "variance"), strict=True):
        draft.constant(tensor, role)
    epsilon = float(operator.get("epsilon", 1e-5))
    draft.emit("BatchNormalization", operator.name, operator.inputs, operator.outputs[:1], epsilon=epsilon)


def layer_normalization(operator: Operator, draft: Draft) -> None:
    """LayerNormalization with constant scale and bias."""
    only_first_output(operator, "Mean or InvStdDev")
    inputs = [name for name in operator.inputs if name]
    for tensor, role in zip(inputs[1:], ("scale", "bias"), strict=False):
        draft.constant(tensor, role)
    axis = positive_axis(operator.get("axis", -1), len(draft.shape(inputs[0])))
    epsilon = float(operator.get("epsilon", 1e-5))
    draft.emit("LayerNormalization", operator.name, inputs, operator.outputs[:1], axis=axis, epsilon=epsilon)


def lrn(operator: Operator, draft: Draft) -> None:
    """LRN across channels."""
    draft.emit(
        "LRN", operator.name, operator.inputs, operator.outputs,
        alpha=float(operator.get("alpha", 1e-4)), beta=float(operator.get("beta", 0.75)),
        bias=float(operator.get("bias", 1.0)), size=int(operator.get("size")),
    )  # fmt: skip


NORMALIZERS: dict[str, Normalizer] = {
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "LRN": lrn,
}
