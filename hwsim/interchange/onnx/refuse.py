"""What the reader does not take, and what to do instead."""

from __future__ import annotations

import onnx

from hwsim.errors import did_you_mean
from hwsim.graph import OPS

# operators of the chains that compute shapes: they fold away once the shape before them is known
SHAPE_ARITHMETIC = {
    "Shape", "Size", "Range", "ConstantOfShape", "Where", "Equal", "Greater", "Less", "Not", "And", "Or", "Floor", "Ceil",
    "Mod", "Min", "Max", "Tile", "ReduceProd", "NonZero", "ScatterND",
}  # fmt: skip

_WAY_OUT = {
    "Expand": "export with a fixed batch, so that the expansion folds away",
    "GatherND": "export indexing as Gather or Slice",
    "GatherElements": "export indexing as Gather or Slice",
    "InstanceNormalization": "train or export with BatchNormalization",
    "GroupNormalization": "train or export with BatchNormalization or LayerNormalization",
    "Elu": "use LeakyRelu or HardSwish", "Selu": "use LeakyRelu or HardSwish", "Softplus": "use Relu or HardSwish",
    "Mish": "use HardSwish", "LogSoftmax": "export the logits or Softmax", "Hardmax": "export the logits or Softmax",
    "ArgMax": "export the logits and take the maximum outside", "TopK": "export the logits and take the best outside",
    "Max": "use Relu or Clip against a constant", "Min": "use Clip against a constant",
    "ReduceSum": "use ReduceMean and Mul", "Attention": "export attention as MatMul and Softmax",
    "LSTM": "recurrent networks are not modelled; unroll the steps into MatMul, Add, Sigmoid and Tanh",
    "GRU": "recurrent networks are not modelled; unroll the steps into MatMul, Add, Sigmoid and Tanh",
    "RNN": "recurrent networks are not modelled; unroll the steps into MatMul, Add and Tanh",
    "If": "export with a fixed branch", "Loop": "unroll the loop when exporting", "Scan": "unroll the loop when exporting",
    "com.microsoft.QAttention": "quantize the model without fusing attention, so that it stays MatMul and Softmax",
    "com.microsoft.DynamicQuantizeLSTM": "recurrent networks are not modelled; unroll the steps",
    "NonMaxSuppression": "cut the model before its post-processing with onnx.utils.extract_model",
}  # fmt: skip

_DEFAULT_WAY_OUT = "rewrite it with supported operators, or cut the model before it with onnx.utils.extract_model"


def full_name(node: onnx.NodeProto) -> str:
    """Return the operator with its domain, if that is not ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def unsupported(operator: str) -> str:
    """Return the complaint about an operator without a normalizer, with its way out."""
    hint = did_you_mean(operator, OPS)
    close = hint if "did you mean" in hint else ""
    return f"operator {operator!r} is not supported{close or ';'} {_WAY_OUT.get(operator, _DEFAULT_WAY_OUT)}"
