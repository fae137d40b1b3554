"""Operands of QLinear operators: a tensor, its scale and its zero point stand side by side among the inputs."""

from __future__ import annotations

from hwsim.interchange.onnx.grid import grid_at
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.batch import Shape
from hwsim.interchange.reading.coded import code_format
from hwsim.interchange.reading.draft import Draft
from hwsim.numerics.quant_params import QuantParams


def operand_grid(operator: Operator, draft: Draft, index: int, *, axis: int | None = None) -> QuantParams:
    """Return the grid on which input ``index`` is read; scale and zero point are the two inputs behind it.

    Args:
        operator: the node.
        draft: the graph so far.
        index: of the tensor among the inputs.
        axis: along which there may be one scale per index.
    """
    name = operator.inputs[index]
    return grid_at(operator, draft, index + 1, index + 2, draft.shape(name), number=code_format(draft, name), axis=axis)


def result_grid(operator: Operator, draft: Draft, scale: int, like: QuantParams, shape: Shape) -> QuantParams:
    """Return the grid of the result: its scale is input ``scale``, its zero point the next one, else 0 in the type of ``like``."""
    return grid_at(operator, draft, scale, scale + 1, shape, number=like.format)
