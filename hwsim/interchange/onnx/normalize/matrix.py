"""Gemm and MatMul: transposes, alpha and beta move into the constants."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.bias import bias_of
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.constants import row_constant, scaled_constant, transposed_constant
from hwsim.interchange.reading.draft import Draft


def matmul(operator: Operator, draft: Draft) -> None:
    """MatMul."""
    draft.emit("MatMul", operator.name, operator.inputs, operator.outputs)


def gemm(operator: Operator, draft: Draft) -> None:
    """Gemm: y = alpha x w + beta c; with a computed second operand it becomes MatMul, Mul and Add."""
    alpha, beta = float(operator.get("alpha", 1.0)), float(operator.get("beta", 1.0))
    left = _transposed(operator, draft, 0) if operator.get("transA", 0) else operator.inputs[0]
    weight = operator.inputs[1]
    result = operator.outputs[0]
    if weight not in draft.constants:
        right = _transposed(operator, draft, 1) if operator.get("transB", 0) else weight
        addend = operator.inputs[2] if operator.has(2) and beta else None
        _products(operator, draft, left, right, alpha, beta, addend)
        return
    right = _weight(operator, draft, alpha)
    bias, rest = _bias(operator, draft, beta, draft.shape(right)[-1])
    if bias:
        bias = bias_of(draft, operator.name, left, right, bias, 1)
    inner = f"{result}/product" if rest else result
    draft.emit("Gemm", operator.name, [left, right, *([bias] if bias else [])], [inner])
    if rest:
        _add(operator, draft, inner, rest, beta)


def _transposed(operator: Operator, draft: Draft, index: int) -> str:
    tensor, side = operator.inputs[index], "ab"[index]
    output = f"{operator.outputs[0]}/{side}_transposed"
    return draft.emit("Transpose", f"{operator.name}/transpose_{side}", [tensor], [output], permutation=(1, 0))


def _weight(operator: Operator, draft: Draft, alpha: float) -> str:
    name = operator.inputs[1]
    rank = draft.constants[name].ndim
    if rank != 2:
        raise GraphError(f"the weight {name!r} must have 2 dimensions, not {rank}")
    if operator.get("transB", 0):
        name = transposed_constant(draft, name, f"{name}.transposed", (1, 0))
    if alpha != 1.0:
        name = scaled_constant(draft, name, f"{name}.alpha", alpha)
    return name


def _bias(operator: Operator, draft: Draft, beta: float, columns: int) -> tuple[str | None, str | None]:
    """Return the bias [n], or the addend that is no bias and needs an Add."""
    if not operator.has(2) or beta == 0.0:
        return None, None
    name = operator.inputs[2]
    if name not in draft.constants:
        return None, name
    value = draft.constants[name]
    if value.size not in (1, columns) or value.shape[-1:] not in ((), (1,), (columns,)):
        return None, name
    if value.shape == (columns,) and beta == 1.0:
        return name, None
    if beta != 1.0:
        name = scaled_constant(draft, name, f"{name}.beta", beta)
    return row_constant(draft, name, f"{name}.bias", columns), None


def _products(
    operator: Operator, draft: Draft, left: str, right: str, alpha: float, beta: float, addend: str | None
) -> None:
    result = operator.outputs[0]
    product = result if alpha == 1.0 and addend is None else f"{result}/product"
    draft.emit("MatMul", operator.name, [left, right], [product])
    if alpha != 1.0:
        scaled = result if addend is None else f"{result}/scaled"
        factor = draft.add_constant(f"{result}/alpha", np.array(alpha, np.float32))
        product = draft.emit("Mul", f"{operator.name}/alpha", [product, factor], [scaled])
    if addend is not None:
        _add(operator, draft, product, addend, beta)


def _add(operator: Operator, draft: Draft, product: str, addend: str, beta: float) -> None:
    result = operator.outputs[0]
    if beta != 1.0:
        factor = draft.add_constant(f"{result}/beta", np.array(beta, np.float32))
        addend = draft.emit("Mul", f"{operator.name}/beta", [addend, factor], [f"{result}/addend"])
    draft.emit("Add", f"{operator.name}/add", [product, addend], [result])


NORMALIZERS: dict[str, Normalizer] = {"Gemm": gemm, "MatMul": matmul}
