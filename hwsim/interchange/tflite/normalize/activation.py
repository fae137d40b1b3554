"""Functions of one element, SOFTMAX, QUANTIZE and DEQUANTIZE: the layout of the input stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.reading.coded import read_on
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result

_UNARY: dict[str, tuple[str, Callable[[FileOperator], dict[str, Any]]]] = {
    "RELU": ("Relu", lambda operator: {}),
    "RELU6": ("Clip", lambda operator: {"minimum": 0.0, "maximum": 6.0}),
    "RELU_N1_TO_1": ("Clip", lambda operator: {"minimum": -1.0, "maximum": 1.0}),
    "RELU_0_TO_1": ("Clip", lambda operator: {"minimum": 0.0, "maximum": 1.0}),
    "LEAKY_RELU": ("LeakyRelu", lambda operator: {"alpha": float(operator.get("alpha"))}),
    "LOGISTIC": ("Sigmoid", lambda operator: {}),
    "TANH": ("Tanh", lambda operator: {}),
    "HARD_SWISH": ("HardSwish", lambda operator: {}),
    "GELU": ("Gelu", lambda operator: {"approximate": "tanh" if operator.get("approximate") else "none"}),
    "EXP": ("Exp", lambda operator: {}),
    "SQRT": ("Sqrt", lambda operator: {}),
    "NEG": ("Neg", lambda operator: {}),
    "QUANTIZE": ("Quantize", lambda operator: {}),
    "DEQUANTIZE": ("Quantize", lambda operator: {}),
}


def unary(operator: FileOperator, reading: Reading) -> None:
    """Operators with one operand."""
    op, attributes = _UNARY[operator.code]
    x = operator.inputs[0]
    emit_result(reading, operator, op, [reading.operand(x)], reading.layout(x), **attributes(operator))


def softmax(operator: FileOperator, reading: Reading) -> None:
    """SOFTMAX over the last dimension of the file; ``beta`` multiplies the input: codes are read on a scaled grid."""
    x = operator.inputs[0]
    layout = reading.layout(x)
    if not layout:
        raise GraphError("its input must have a dimension")
    source = reading.operand(x)
    beta = float(np.float32(operator.get("beta")))
    if beta != 1.0:
        source = _scaled(reading, operator, source, beta)
    emit_result(reading, operator, "Softmax", [source], layout, axis=layout.index(len(layout) - 1))


def _scaled(reading: Reading, operator: FileOperator, source: str, beta: float) -> str:
    if not beta > 0 or not np.isfinite(beta):
        raise GraphError(f"beta must be positive and finite, not {beta}")
    name = reading.names[operator.outputs[0]]
    target = reading.fresh(f"{name}/scaled")
    grid = reading.grids.get(source)
    if grid is None:
        factor = reading.add_constant(f"{name}/beta", np.array(beta, dtype=np.float32))
        reading.emit("Mul", target, [source, factor], [target])
        return target
    scale = tuple(float(np.float32(one) * np.float32(beta)) for one in grid.scale or ())
    return read_on(reading.draft, source, replace(grid, scale=scale), output=target)


NORMALIZERS: dict[str, Normalizer] = {**dict.fromkeys(_UNARY, unary), "SOFTMAX": softmax}
