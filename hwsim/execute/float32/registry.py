"""The table of float32 operators, one for each row of OPS."""

from __future__ import annotations

from hwsim.execute.float32 import (
    activation,
    arithmetic,
    convolution,
    dynamic,
    matrix,
    movement,
    normalization,
    pooling,
    resize,
    threshold,
)
from hwsim.execute.float32.arithmetic import FloatOp

FLOAT_OPS: dict[str, FloatOp] = {
    **convolution.OPERATORS,
    **matrix.OPERATORS,
    **pooling.OPERATORS,
    **arithmetic.OPERATORS,
    **activation.OPERATORS,
    **normalization.OPERATORS,
    **resize.OPERATORS,
    **movement.OPERATORS,
    **threshold.OPERATORS,
    **dynamic.OPERATORS,
}
